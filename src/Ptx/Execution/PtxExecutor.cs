namespace IlgpuNetVlad.Ptx;

/// <summary>The shape of a launch.</summary>
public sealed record PtxLaunch((int X, int Y, int Z) Grid, (int X, int Y, int Z) Group)
{
    /// <summary>Threads of a block.</summary>
    public const int MostThreads = 1024;

    /// <summary>Bytes behind the shared memory that the kernel declares.</summary>
    public int DynamicSharedBytes { get; init; }

    /// <summary>Blocks of the grid that run at most, spread evenly over it; null for all.</summary>
    public long? MostBlocks { get; init; }

    /// <summary>Instructions of warps after which a block counts as endless.</summary>
    public long StepLimit { get; init; } = 100_000_000;
}

/// <summary>
/// Runs kernels on the processor, exactly as the PTX says: warps in lock step that part and meet again, copies that arrive when they are waited for. What a GPU would leave to
/// chance is reported: races, reads of what was never written, addresses that belong to nothing.
/// </summary>
public sealed class PtxExecutor
{
    private readonly KernelCode code;

    /// <exception cref="PtxSyntaxException">The kernel has an instruction that is not known.</exception>
    public PtxExecutor(PtxFunction kernel)
    {
        Kernel = kernel;
        code = new InstructionDecoder(kernel).Decode();
    }

    public PtxFunction Kernel { get; }

    /// <summary>Runs one launch.</summary>
    /// <param name="parameters">The block of parameters, as long as the kernel declares it.</param>
    /// <param name="counted">Whether to count what the kernel does, which takes time.</param>
    /// <param name="ran">Is told before the first block and after each how many have run, and of how many.</param>
    /// <returns>The counts, or null.</returns>
    /// <exception cref="PtxFaultException">The kernel did something wrong.</exception>
    public LaunchCount? Run(PtxLaunch launch, byte[] parameters, GlobalMemory memory, bool counted = false, Action<long, long>? ran = null)
    {
        if (parameters.Length != Kernel.ParameterBytes)
            throw new ArgumentException($"{Kernel.Name} takes {Kernel.ParameterBytes} bytes of parameters, not {parameters.Length}.");
        var (width, height, depth) = launch.Grid;
        long blocks = (long)width * height * depth, running = Math.Min(launch.MostBlocks ?? blocks, blocks);
        var count = counted ? new LaunchCount(code.Steps.Length, blocks, running) : null;
        var run = new BlockRun(code, launch, parameters, memory, count);
        ran?.Invoke(0, running);
        for (long i = 0; i < running; i++)
        {
            // In the middle of each of so many equal parts.
            long block = (long)((2 * (UInt128)i + 1) * (UInt128)blocks / (2 * (UInt128)running));
            run.Run(((int)(block % width), (int)(block / width % height), (int)(block / width / height)));
            ran?.Invoke(i + 1, running);
        }
        if (run.Faults.Count > 0)
            throw new PtxFaultException(run.Faults);
        return count;
    }
}
