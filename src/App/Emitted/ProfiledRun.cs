using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Ptx;

namespace IlgpuNetVlad.App.Emitted;

/// <summary>One kernel's work within one run of its operation.</summary>
/// <param name="Launches">The kernel's own, at least one.</param>
/// <param name="Blocks">Of all these launches.</param>
/// <param name="BlocksRun">Those of them that ran, and stand for the others.</param>
/// <param name="ArgumentBytes">Of the views and tensors that its launches get: what has to move even with perfect caches, if all of them is touched.</param>
internal sealed record ProfiledRun(Operation Operation, object Problem, IReadOnlyList<PtxLaunch> Launches, long Blocks, long BlocksRun, long ArgumentBytes, KernelProfile Profile)
{
    /// <summary>Blocks of a launch that run on a shape that somebody names, where nothing is said: it may be as large as a GPU's work, of which a block takes a second here.</summary>
    public const int BlocksOfShape = 8;

    /// <param name="example">Among those that the kernel's variant takes; null for the one with most work that launches the kernel.</param>
    /// <param name="shape">As of <see cref="GivenShape"/>, what is other than in that example; null for nothing.</param>
    /// <param name="blocks">Blocks of a launch that run at most, spread evenly over its grid; null for all, and with a shape for <see cref="BlocksOfShape"/>.</param>
    /// <param name="ran">As of <see cref="PtxLauncher"/>.</param>
    /// <exception cref="UserErrorException">There is no such example or shape, it does not launch the kernel, or a part of the blocks says nothing.</exception>
    public static ProfiledRun Of(SimtKernel kernel, int? example, string? shape = null, int? blocks = null, Action<SimtKernel, long, long>? ran = null)
    {
        var (operation, variant) = (from o in KernelTable.All from v in o.AllVariants where v.Kernels.Contains(kernel) select (o, v)).First();
        if (blocks is not null && operation.FollowsData)
            throw new UserErrorException($"What {operation.Name} does depends on its data, so some blocks say little of the others: leave --blocks out.");
        if (shape is not null && !operation.FollowsData)
            blocks ??= BlocksOfShape;
        using var launcher = new PtxLauncher(counted: true, blocks, ran);
        using var device = Device.Simulation(launcher: launcher);
        object[] problems = [.. operation.AllExamples.Where(p => operation.RefusalOf(variant, device, p) is null)];
        if (example >= problems.Length)
            throw new UserErrorException($"{operation.Name} has examples 0 to {problems.Length - 1}, not {example}.");
        problems = example is { } one ? [problems[one]] : [.. problems.OrderByDescending(operation.FlopsOf)];
        if (shape is not null)
            problems = [Shaped(operation, variant, device, problems[0], shape)];
        foreach (object problem in problems)
        {
            launcher.Launches.Clear();
            EmittedRun.Of(operation, variant, device, problem);
            var own = launcher.Launches.Where(l => l.Name == kernel.Name).ToArray();
            if (own.Length > 0)
                return new(
                    operation, problem, [.. own.Select(l => l.Launch)], own.Sum(l => l.Count.Blocks), own.Sum(l => l.Count.BlocksRun), own.Sum(l => l.ArgumentBytes),
                    new KernelProfile(own[0].Text, own[0].Kernel, own.Select(l => l.Count)));
        }
        throw new UserErrorException(shape is null ? $"{kernel.Name} is not launched on this example; name another with --example." : $"{kernel.Name} is not launched on {operation.Name} {problems[0]}.");
    }

    private static object Shaped(Operation operation, Variant variant, Device device, object example, string shape)
    {
        object problem = GivenShape.Of(operation, example, shape);
        if (operation.RefusalOf(variant, device, problem) is { } refusal)
            throw new UserErrorException($"{variant.Name} does not compute {operation.Name} {problem}: {refusal}.");
        // Each buffer once as it is made and once on the device that is simulated.
        double bytes = 8.0 * operation.BuffersOf(problem).Sum(b => b.Length) + 4.0 * operation.WorkspaceOf(variant, device, problem), room = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        return bytes < room ? problem : throw new UserErrorException($"{operation.Name} {problem} needs {bytes / 1e9:0.0} GB, and there are {room / 1e9:0.0}: take a smaller shape.");
    }
}
