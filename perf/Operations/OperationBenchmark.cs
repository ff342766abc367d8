using BenchmarkDotNet.Attributes;
using IlgpuNetVlad.Kernels;
using ILGPU;

namespace IlgpuNetVlad.Perf.Operations;

/// <summary>One operation on one problem, with the host variant that would run; warm caches, buffers allocated beforehand.</summary>
/// <typeparam name="TProblem">The operation's shapes.</typeparam>
public abstract class OperationBenchmark<TProblem>
    where TProblem : struct
{
    private Device device = null!;
    private DeviceBuffer[] buffers = null!;
    private ArrayView<float>[] views = null!;
    private DeviceBuffer workspace = null!;
    private Variant<TProblem> variant = null!;

    [ParamsSource(nameof(Shapes))]
    public Shape<TProblem> Problem { get; set; }

    public abstract IEnumerable<Shape<TProblem>> Shapes { get; }

    protected abstract Operation<TProblem> Operation { get; }

    [GlobalSetup]
    public void Open()
    {
        device = Device.Cpu();
        variant = Operation.Choose(device, Problem.Value);
        buffers = [.. Operation.InputsFor(Problem.Value, 1).Select(values => device.Allocate(values))];
        views = [.. buffers.Select(b => b.View)];
        workspace = device.Allocate(variant.Workspace(device, Problem.Value));
    }

    [Benchmark]
    public void Run() => Operation.Run(variant, device, Problem.Value, views, workspace.View);

    [GlobalCleanup]
    public void Close() => device.Dispose();

    /// <summary>Direct-equivalent FLOPs, for the column.</summary>
    public double Flops => Operation.Flops(Problem.Value);
}

/// <summary>A problem with a name such as <c>vgg16:conv3_2</c>.</summary>
public readonly record struct Shape<TProblem>(string Name, TProblem Value)
{
    public override string ToString() => Name;
}
