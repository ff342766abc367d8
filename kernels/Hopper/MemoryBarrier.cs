using ILGPU.Backends.PTX;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// mbarrier, 8 bytes of shared memory that count (sm_90): a phase ends when as many have arrived as were said when it was made and all bytes have come that were expected; then the next begins.
/// Who waits names the phase by its parity, 0 for the first; of a barrier that is new the phase before, parity 1, has ended. On the CPU it is a <see cref="SimulatedBarrier"/>.
/// </summary>
public static class MemoryBarrier
{
    public const int Bytes = 8;

    /// <summary>mbarrier.init, by one thread.</summary>
    /// <param name="address">Of shared memory, in bytes.</param>
    [IntrinsicImplementation]
    public static void Make(uint address, int arrivals) => SimulatedBlock.Own.Make(address, arrivals);

    /// <summary>fence.mbarrier_init: behind the next barrier of the block all threads, and the copies that they start, know of the mbarriers that this thread has made.</summary>
    [IntrinsicImplementation]
    public static void Publish() => SimulatedBlock.Own.Publish();

    /// <summary>mbarrier.arrive, by the threads for which <paramref name="arrives"/> is not 0: without a branch, for products may be on their way.</summary>
    [IntrinsicImplementation]
    public static void Arrive(uint address, int arrives)
    {
        if (arrives != 0)
            SimulatedBlock.Own.Barrier(address)?.Arrive(expected: 0);
    }

    /// <summary>mbarrier.arrive.expect_tx: arrives, and says how many bytes copies will bring in this phase.</summary>
    [IntrinsicImplementation]
    public static void Expect(uint address, int bytes) => SimulatedBlock.Own.Barrier(address)?.Arrive(bytes);

    /// <summary>mbarrier.try_wait: waits a while for the end of the phase of a parity.</summary>
    /// <returns>1 where it has ended, and what those wrote who arrived, and the bytes that came, can be read; 0 where it has not.</returns>
    [IntrinsicImplementation]
    public static int TryWait(uint address, int parity)
    {
        SimulatedBlock.Own.Barrier(address)?.Wait(parity);
        return 1;
    }

    /// <summary>Waits for the end of the phase of a parity.</summary>
    public static void Wait(uint address, int parity)
    {
        while (TryWait(address, parity) == 0)
        {
        }
    }

    private static void EmitMake(PTXBackend backend, PTXCodeGenerator generator, Value value)
        => PtxEmitter.Write(generator, $"mbarrier.init.shared::cta.b64 [{Only(generator, value, 0)}], {Only(generator, value, 1)}");

    private static void EmitPublish(PTXBackend backend, PTXCodeGenerator generator, Value value) => PtxEmitter.Write(generator, "fence.mbarrier_init.release.cluster");

    private static void EmitArrive(PTXBackend backend, PTXCodeGenerator generator, Value value)
    {
        PtxEmitter.Write(generator, "{ .reg .pred arrives");
        PtxEmitter.Write(generator, $"setp.ne.s32 arrives, {Only(generator, value, 1)}, 0");
        PtxEmitter.Write(generator, $"@arrives mbarrier.arrive.shared::cta.b64 _, [{Only(generator, value, 0)}]");
        PtxEmitter.Write(generator, "} //");
    }

    private static void EmitExpect(PTXBackend backend, PTXCodeGenerator generator, Value value)
        => PtxEmitter.Write(generator, $"mbarrier.arrive.expect_tx.shared::cta.b64 _, [{Only(generator, value, 0)}], {Only(generator, value, 1)}");

    private static void EmitTryWait(PTXBackend backend, PTXCodeGenerator generator, Value value)
    {
        PtxEmitter.Write(generator, "{ .reg .pred ended");
        PtxEmitter.Write(generator, $"mbarrier.try_wait.parity.shared::cta.b64 ended, [{Only(generator, value, 0)}], {Only(generator, value, 1)}");
        PtxEmitter.Write(generator, $"selp.s32 {PtxEmitter.Result(generator, value)[0]}, 1, 0, ended");
        PtxEmitter.Write(generator, "} //");
    }

    private static string Only(PTXCodeGenerator generator, Value value, int index) => PtxEmitter.Argument(generator, value, index)[0];
}
