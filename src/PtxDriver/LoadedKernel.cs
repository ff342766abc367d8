using IlgpuNetVlad.Ptx;

namespace IlgpuNetVlad.PtxDriver;

/// <summary>A kernel of a module: what a function's handle stands for.</summary>
internal sealed class LoadedKernel(PtxFunction function)
{
    private readonly Lazy<PtxExecutor> executor = new(() => new PtxExecutor(function));

    public PtxFunction Function { get; } = function;

    /// <summary>Bytes that a launch may ask for beyond those declared, once it was allowed more than the usual 48 KB.</summary>
    public int MostDynamicSharedBytes { get; private set; } = DriverChip.UnaskedSharedBytes - function.SharedBytes;

    /// <summary>CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES.</summary>
    public void Allow(int bytes, DriverChip chip)
    {
        if (bytes < 0 || bytes + Function.SharedBytes > chip.MostSharedKb * 1024)
            throw new DriverException(CudaResult.InvalidValue, $"{Function.Name} declares {Function.SharedBytes} bytes of shared memory and may not have {bytes} more: a block of {chip.Description} has {chip.MostSharedKb} KB.");
        MostDynamicSharedBytes = bytes;
    }

    /// <exception cref="DriverException">The driver would refuse it.</exception>
    public void Check(PtxLaunch launch)
    {
        var (grid, group) = (launch.Grid, launch.Group);
        if (grid.X < 1 || grid.Y is < 1 or > 65535 || grid.Z is < 1 or > 65535)
            throw new DriverException(CudaResult.InvalidValue, $"{Function.Name} is launched with a grid of {grid}.");
        if (group.X < 1 || group.Y < 1 || group.Z is < 1 or > 64 || (long)group.X * group.Y * group.Z > PtxLaunch.MostThreads)
            throw new DriverException(CudaResult.InvalidValue, $"{Function.Name} is launched with groups of {group} threads.");
        int threads = group.X * group.Y * group.Z;
        if (threads > Function.MostThreads)
            throw new DriverException(CudaResult.InvalidValue, $"{Function.Name} is launched with groups of {threads} threads and was assembled for {Function.MostThreads} at most.");
        // Where nothing is said the assembler has found what suffices the threads, or it is not known here.
        if (Function.MostRegisters is { } registers && !RegisterFile.Suffices(registers, threads))
            throw new DriverException(CudaResult.LaunchOutOfResources, $"{Function.Name} may take {registers} registers a thread, and groups of {threads} threads would take {RegisterFile.Taken(registers, threads)} of {RegisterFile.Registers}.");
        if (launch.DynamicSharedBytes > MostDynamicSharedBytes)
            throw new DriverException(CudaResult.InvalidValue, $"{Function.Name} is launched with {launch.DynamicSharedBytes} bytes of shared memory and may have {MostDynamicSharedBytes}.");
    }

    public void Run(PtxLaunch launch, byte[] parameters, GlobalMemory memory) => executor.Value.Run(launch, parameters, memory);
}
