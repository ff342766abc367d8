using BenchmarkDotNet.Attributes;
using IlgpuNetVlad.Kernels;
using ILGPU;

namespace IlgpuNetVlad.Perf.Operations;

/// <summary>One operation on one problem, with the host variant that would run; warm caches, buffers allocated beforehand.</summary>
/// <typeparam name="TProblem">The operation's shapes.</typeparam>
/// <param name="files">Of its problems (<see cref="ShapeFile"/>).</param>
public abstract class OperationBenchmark<TProblem>(Operation<TProblem> operation, params string[] files) : IOperationBenchmark
    where TProblem : struct
{
    private Device device = null!;
    private DeviceBuffer[] buffers = null!;
    private ArrayView<float>[] views = null!;
    private DeviceBuffer workspace = null!;
    private DeviceBuffer? prepared;
    private Variant<TProblem> variant = null!;

    [ParamsSource(nameof(Shapes))]
    public Shape<TProblem> Problem { get; set; }

    public IEnumerable<Shape<TProblem>> Shapes => files.SelectMany(ShapeFile.Read<TProblem>);

    [GlobalSetup]
    public void Open()
    {
        device = Device.Cpu();
        variant = operation.Choose(device, Problem.Value);
        buffers = [.. operation.InputsFor(Problem.Value, 1).Select(values => device.Allocate(values))];
        views = [.. buffers.Select(b => b.View)];
        workspace = device.Allocate(variant.Workspace(device, Problem.Value));
        // What stands for an input is made of it once and for all.
        if (variant.Preparation is { Replaced: >= 0 })
        {
            prepared = device.Allocate(operation.Prepared(device, Problem.Value));
            operation.Prepare(device, Problem.Value, views, prepared);
        }
    }

    [Benchmark]
    public void Run()
    {
        if (prepared is null)
            operation.Run(variant, device, Problem.Value, views, workspace.View);
        else
            operation.RunPrepared(device, Problem.Value, views, prepared, workspace);
    }

    [GlobalCleanup]
    public void Close() => device.Dispose();

    /// <inheritdoc/>
    public double FlopsOf(object problem) => operation.Flops(((Shape<TProblem>)problem).Value);

    /// <inheritdoc/>
    public double BytesOf(object problem) => operation.Bytes(((Shape<TProblem>)problem).Value);
}

/// <summary>What columns ask a benchmark, whatever its operation.</summary>
public interface IOperationBenchmark
{
    /// <summary>Direct-equivalent FLOPs of a problem.</summary>
    double FlopsOf(object problem);

    /// <summary>Least bytes moved: every buffer once, twice where it is read and written.</summary>
    double BytesOf(object problem);
}

/// <summary>A problem with a name such as <c>vgg16:conv3_2</c>.</summary>
public readonly record struct Shape<TProblem>(string Name, TProblem Value)
{
    public override string ToString() => Name;
}
