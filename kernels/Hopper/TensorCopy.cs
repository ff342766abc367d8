using System.Runtime.CompilerServices;
using ILGPU.Backends.PTX;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// Hopper's TMA (sm_90): one thread asks for a box of a tensor (<see cref="TensorBox"/>), and hardware finds the addresses, fills what lies beside the tensor with zeros, swizzles, and tells an mbarrier
/// how many bytes have come. On the CPU it is a <see cref="SimulatedCopy"/>.
/// </summary>
public static unsafe class TensorCopy
{
    /// <summary>
    /// fence.proxy.tensormap: copies that this thread starts read the map as it stands in memory. The start of a kernel is no such fence (PTX ISA, "Proxies"), and the host has written the map.
    /// </summary>
    [IntrinsicImplementation]
    public static void Acquire(ref TensorMapBytes map) => SimulatedBlock.Own.Acquire((nint)Unsafe.AsPointer(ref map));

    /// <summary>cp.async.bulk.tensor.4d: starts a copy of the box whose first number has these coordinates, which may lie beside the tensor, on any side.</summary>
    /// <param name="to">Address of shared memory, in bytes: a multiple of 1024, where the swizzle's pattern begins.</param>
    /// <param name="barrier">Address of the mbarrier that counts its bytes, which have to be expected.</param>
    [IntrinsicImplementation]
    public static void Start(uint to, ref TensorMapBytes map, int channel, int column, int row, int image, uint barrier)
        => SimulatedCopy.Start(to, ref map, channel, column, row, image, barrier);

    private static void EmitAcquire(PTXBackend backend, PTXCodeGenerator generator, Value value)
        => PtxEmitter.Write(generator, $"fence.proxy.tensormap::generic.acquire.sys [{Only(generator, value, 0)}], {TensorMapBytes.Length}");

    private static void EmitStart(PTXBackend backend, PTXCodeGenerator generator, Value value)
    {
        string place = PtxEmitter.Vector(Enumerable.Range(2, 4).Select(i => Only(generator, value, i)));
        PtxEmitter.Write(
            generator,
            $"cp.async.bulk.tensor.4d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [{Only(generator, value, 0)}], [{Only(generator, value, 1)}, {place}], [{Only(generator, value, 6)}]");
    }

    private static string Only(PTXCodeGenerator generator, Value value, int index) => PtxEmitter.Argument(generator, value, index)[0];
}
