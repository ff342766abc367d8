using ILGPU;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.App.Emitted;

/// <summary>Runs nothing and remembers with how many threads a block each kernel is launched.</summary>
internal sealed class LaunchShapes : IKernelLauncher
{
    private readonly Dictionary<SimtKernel, int> threads = [];

    /// <summary>The most threads of a block with which each kernel of the table is launched on its operation's examples.</summary>
    public static IReadOnlyDictionary<SimtKernel, int> OfTable()
    {
        var shapes = new LaunchShapes();
        using var device = Device.Simulation(launcher: shapes);
        foreach (var operation in KernelTable.All)
            foreach (var variant in operation.AllVariants.Where(v => v.Kernels.Count > 0))
                foreach (object problem in operation.AllExamples.Where(p => operation.RefusalOf(variant, device, p) is null))
                    EmittedRun.Of(operation, variant, device, problem);
        return shapes.threads;
    }

    public void Encode(in TensorBox box, Span<float> map)
    {
    }

    public void Launch(SimtKernel kernel, KernelConfig config, KernelArgument[] arguments)
        => threads[kernel] = Math.Max(threads.GetValueOrDefault(kernel), config.GroupDim.Size);
}
