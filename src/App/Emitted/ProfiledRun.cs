using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Ptx;

namespace IlgpuNetVlad.App.Emitted;

/// <summary>One kernel's work within one run of its operation.</summary>
/// <param name="Launches">The kernel's own, at least one.</param>
/// <param name="ArgumentBytes">Of the views that its launches get: what has to move even with perfect caches, if all of them is touched.</param>
internal sealed record ProfiledRun(Operation Operation, object Problem, IReadOnlyList<PtxLaunch> Launches, long ArgumentBytes, KernelProfile Profile)
{
    /// <param name="example">Among those that the kernel's variant takes; null for the one with most work that launches the kernel.</param>
    /// <exception cref="UserErrorException">There is no such example, or it does not launch the kernel.</exception>
    public static ProfiledRun Of(SimtKernel kernel, int? example)
    {
        var (operation, variant) = (from o in KernelTable.All from v in o.AllVariants where v.Kernels.Contains(kernel) select (o, v)).First();
        using var launcher = new PtxLauncher(counted: true);
        using var device = Device.Simulation(launcher: launcher);
        object[] problems = [.. operation.AllExamples.Where(p => operation.RefusalOf(variant, device, p) is null)];
        if (example >= problems.Length)
            throw new UserErrorException($"{operation.Name} has examples 0 to {problems.Length - 1}, not {example}.");
        foreach (object problem in example is { } one ? problems[one..(one + 1)] : [.. problems.OrderByDescending(operation.FlopsOf)])
        {
            launcher.Launches.Clear();
            EmittedRun.Of(operation, variant, device, problem);
            var own = launcher.Launches.Where(l => l.Name == kernel.Name).ToArray();
            if (own.Length > 0)
                return new(operation, problem, [.. own.Select(l => l.Launch)], own.Sum(l => l.ArgumentBytes), new KernelProfile(own[0].Text, own[0].Kernel, own.Select(l => l.Count)));
        }
        throw new UserErrorException($"{kernel.Name} is not launched on this example; name another with --example.");
    }
}
