using System.Runtime.CompilerServices;
using ILGPU.Backends.PTX;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// Copies from global to shared memory that run beside the arithmetic (cp.async, sm_80): started one by one, closed into groups, waited for by group. On the CPU
/// they happen at once, which is one of the orders that CUDA allows; that nothing is read too early, only the emitted PTX can show.
/// </summary>
public static class AsyncCopy
{
    /// <summary>cp.async.cg.shared.global: 16 bytes, of which the first <paramref name="bytes"/> come from <paramref name="from"/> and the rest is zero.</summary>
    /// <param name="to">In shared memory.</param>
    /// <param name="from">In global memory; not read where <paramref name="bytes"/> is 0.</param>
    /// <param name="bytes">0 or 16.</param>
    [IntrinsicImplementation]
    public static void Start(ref Chunk to, ref Chunk from, int bytes) => to = bytes == 0 ? default : from;

    /// <summary>cp.async.commit_group: the copies started since the last one are a group, which may be empty.</summary>
    [IntrinsicImplementation]
    public static void Commit()
    {
    }

    /// <summary>cp.async.wait_group 1: all groups of this thread but the last have arrived.</summary>
    [IntrinsicImplementation]
    public static void WaitForAllButOne()
    {
    }

    /// <summary>cp.async.wait_group 2: all groups of this thread but the last two have arrived.</summary>
    [IntrinsicImplementation]
    public static void WaitForAllButTwo()
    {
    }

    /// <summary>cp.async.wait_group 0: all groups of this thread have arrived.</summary>
    [IntrinsicImplementation]
    public static void WaitForAll()
    {
    }

    // Addresses of shared memory are what ILGPU hands over, and a generic address of global memory is the global one.
    private static void EmitStart(PTXBackend backend, PTXCodeGenerator generator, Value value)
        => PtxEmitter.Write(generator, $"cp.async.cg.shared.global [{Only(generator, value, 0)}], [{Only(generator, value, 1)}], 16, {Only(generator, value, 2)}");

    private static void EmitCommit(PTXBackend backend, PTXCodeGenerator generator, Value value) => PtxEmitter.Write(generator, "cp.async.commit_group");

    private static void EmitWaitForAllButOne(PTXBackend backend, PTXCodeGenerator generator, Value value) => PtxEmitter.Write(generator, "cp.async.wait_group 1");

    private static void EmitWaitForAllButTwo(PTXBackend backend, PTXCodeGenerator generator, Value value) => PtxEmitter.Write(generator, "cp.async.wait_group 2");

    private static void EmitWaitForAll(PTXBackend backend, PTXCodeGenerator generator, Value value) => PtxEmitter.Write(generator, "cp.async.wait_group 0");

    private static string Only(PTXCodeGenerator generator, Value value, int index) => PtxEmitter.Argument(generator, value, index)[0];
}
