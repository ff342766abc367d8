namespace IlgpuNetVlad.Ptx;

/// <summary>The shape of a launch.</summary>
public sealed record PtxLaunch((int X, int Y, int Z) Grid, (int X, int Y, int Z) Group)
{
    /// <summary>Threads of a block.</summary>
    public const int MostThreads = 1024;

    /// <summary>Bytes behind the shared memory that the kernel declares.</summary>
    public int DynamicSharedBytes { get; init; }

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
    /// <returns>The counts, or null.</returns>
    /// <exception cref="PtxFaultException">The kernel did something wrong.</exception>
    public LaunchCount? Run(PtxLaunch launch, byte[] parameters, GlobalMemory memory, bool counted = false)
    {
        if (parameters.Length != Kernel.ParameterBytes)
            throw new ArgumentException($"{Kernel.Name} takes {Kernel.ParameterBytes} bytes of parameters, not {parameters.Length}.");
        var count = counted ? new LaunchCount(code.Steps.Length) : null;
        var run = new BlockRun(code, launch, parameters, memory, count);
        for (int z = 0; z < launch.Grid.Z; z++)
            for (int y = 0; y < launch.Grid.Y; y++)
                for (int x = 0; x < launch.Grid.X; x++)
                    run.Run((x, y, z));
        if (run.Faults.Count > 0)
            throw new PtxFaultException(run.Faults);
        return count;
    }
}
