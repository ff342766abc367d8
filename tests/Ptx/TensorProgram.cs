using IlgpuNetVlad.Ptx;

namespace IlgpuNetVlad.Tests.Ptx;

/// <summary>Small programs that copy tensors: parameters <c>q</c>, where results go, and <c>m</c>, a tensor map of the data; a block of 64 threads with 8 KB of shared memory and four mbarriers.</summary>
internal static class TensorProgram
{
    public const int Threads = 64, SharedInts = 2048;

    /// <summary>%r1 is the memory, %r2 the first mbarrier, %p1 the first thread, which made it for one arrival and may copy by %rd2, the map. It ends with a barrier of the block.</summary>
    public const string Head = Registers + Init + "@%p1 fence.mbarrier_init.release.cluster; bar.sync 0;\n";

    public const string Registers =
        ".reg .b32 %r<30>; .reg .b16 %rs<3>; .reg .b64 %rd<9>; .reg .f32 %f<9>; .reg .pred %p<9>; .shared .align 1024 .b8 s[8192]; .shared .align 8 .b64 bars[4]; ld.param.b64 %rd1, [q]; ld.param.b64 %rd2, [m]; " +
        "mov.b32 %r0, %tid.x; mov.b32 %r1, s; mov.b32 %r2, bars; setp.eq.s32 %p1, %r0, 0; shl.b32 %r3, %r0, 2; add.s32 %r4, %r1, %r3; cvt.u64.u32 %rd3, %r3; add.u64 %rd4, %rd1, %rd3; mov.b32 %r10, 0; mov.b32 %r11, 0; mov.b32 %r12, 0; mov.b32 %r13, 0; @%p1 fence.proxy.tensormap::generic.acquire.sys [%rd2], 128;\n";

    public const string Init = "@%p1 mbarrier.init.shared::cta.b64 [%r2], 1;\n";

    /// <summary>Line on which what follows <see cref="Registers"/> begins.</summary>
    public const int FirstLine = 7;

    /// <summary>Waits for the phase of a parity.</summary>
    /// <param name="label">Of its own.</param>
    public static string Wait(string label, int parity, string barrier = "%r2")
        => $"{label}: mbarrier.try_wait.parity.shared::cta.b64 %p2, [{barrier}], {parity}; @!%p2 bra {label};";

    /// <summary>All of the first bytes of shared memory to the results.</summary>
    public static string Out(int ints) => string.Concat(Enumerable.Range(0, ints / Threads).Select(i => $"ld.shared.b32 %r5, [%r4+{4 * Threads * i}]; st.global.b32 [%rd4+{4 * Threads * i}], %r5;"));

    /// <summary>Runs a body.</summary>
    /// <param name="map">Of the data's address.</param>
    /// <returns>The results.</returns>
    public static int[] Run(string body, int[] data, Func<ulong, TensorMap> map, int results = SharedInts)
    {
        var memory = new GlobalMemory();
        ulong at = memory.Allocate<int>("data", data), to = memory.Allocate("results", 4 * results), tensor = memory.Allocate<byte>("map", map(at).Encode());
        var kernel = PtxModule.Parse($".version 8.3\n.target sm_90a\n.address_size 64\n.visible .entry k(.param .b64 q, .param .b64 m)\n{{\n{body}\n}}\n").Kernels[0];
        new PtxExecutor(kernel).Run(new PtxLaunch((1, 1, 1), (Threads, 1, 1)) { StepLimit = 100_000 }, [.. BitConverter.GetBytes(to), .. BitConverter.GetBytes(tensor)], memory);
        return memory.Values<int>(to, results).ToArray();
    }

    /// <summary>What a body does wrong.</summary>
    public static IReadOnlyList<PtxFault> Faults(string body, int[] data, Func<ulong, TensorMap> map)
    {
        try
        {
            Run(body, data, map);
            return [];
        }
        catch (PtxFaultException e)
        {
            return e.Faults;
        }
    }
}
