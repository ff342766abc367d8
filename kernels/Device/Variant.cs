using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>The kinds of implementation that an operation may have, in the order in which they are tried.</summary>
public enum VariantKind
{
    /// <summary>SIMD on all cores, through an intrinsic of the CPU accelerator.</summary>
    Host,

    /// <summary>ILGPU with Hopper's wgmma: CUDA devices of compute capability 9.0, the simulation of one, and the execution of emitted PTX.</summary>
    Wgmma,

    /// <summary>ILGPU with the instructions of tensor cores, or those around them such as conversions to bf16: CUDA devices of compute capability 8.0 and on, and the simulation.</summary>
    TensorCore,

    /// <summary>Plain ILGPU in fp32: any CUDA device, and the simulation.</summary>
    Simt,

    /// <summary>Plain loops with fp64 sums: what the others are held against.</summary>
    Reference,
}

/// <summary>One implementation of an operation.</summary>
public abstract class Variant(string name, VariantKind kind, SimtKernel[] kernels)
{
    /// <summary>Its configuration in words, such as <c>host-8x48</c>.</summary>
    public string Name { get; } = name;

    public VariantKind Kind { get; } = kind;

    /// <summary>The CUDA kernels that it launches; empty for Host and Reference.</summary>
    public IReadOnlyList<SimtKernel> Kernels { get; } = kernels;

    /// <summary>Whether it copies by tensor maps.</summary>
    internal bool CopiesTensors { get; } = kernels.Any(k => k.CopiesTensors);

    private readonly int sharedBytes = kernels.Select(k => k.DynamicSharedBytes).DefaultIfEmpty().Max();

    /// <summary>To what its inputs are rounded.</summary>
    public Precision Precision { get; init; }

    /// <summary>Whether it takes maps that are kept in bf16; a variant of fp32 or tf32 does not.</summary>
    public bool TakesBf16Maps { get; init; }

    /// <summary>Where it runs, for the printed table.</summary>
    public string Needs => Kind switch
    {
        VariantKind.Wgmma => $"CUDA sm_90 with {Precision.ToString().ToLowerInvariant()}, or the simulation",
        VariantKind.TensorCore => $"CUDA from sm_80 on{(Precision == Precision.Fp32 ? "" : $" with {Precision.ToString().ToLowerInvariant()}")}, or the simulation",
        VariantKind.Host => "processor",
        VariantKind.Simt => "CUDA, or the simulation",
        _ => "host memory",
    };

    /// <summary>Why it cannot run on a device of this kind, whatever the problem; null if it can.</summary>
    protected string? RefusesDevice(Device device) => RefusesKind(device) ?? (device.LeftOut?.Contains(this) == true ? "is left out, for it is wrong on this device" : null) ?? (sharedBytes > device.MostSharedBytes ? $"needs {sharedBytes / 1024} KB of shared memory for a block" : null);

    private string? RefusesKind(Device device) => Kind switch
    {
        VariantKind.Host => device.Kind == DeviceKind.Cpu ? null : "runs on the processor only",
        VariantKind.Wgmma => device.RefusesWgmma ?? (CopiesTensors ? device.RefusesTensorMaps : null),
        VariantKind.TensorCore => device.HasTensorCores ? null : "needs a CUDA device of compute capability 8.0 or more",
        VariantKind.Simt => device.Kind == DeviceKind.Cpu ? "needs a CUDA device" : null,
        _ => device.IsHostMemory ? null : "needs host memory",
    };
}

/// <summary>Runs an operation on buffers in the order of its <see cref="Operation{TProblem}.Buffers"/>.</summary>
/// <param name="workspace">At least <see cref="Variant{TProblem}.Workspace"/> floats, contents undefined before and after.</param>
public delegate void Launch<TProblem>(Device device, in TProblem problem, ReadOnlySpan<ArrayView<float>> buffers, ArrayView<float> workspace);

/// <param name="run">Computes it. Never called with an invalid problem, nor where <paramref name="refuses"/> gives a reason.</param>
/// <param name="refuses">Why it does not take this problem (beyond its device), or null.</param>
/// <param name="workspace">Floats of workspace that it needs on this device.</param>
public sealed class Variant<TProblem>(
    string name,
    VariantKind kind,
    Launch<TProblem> run,
    Func<Device, TProblem, long>? workspace = null,
    Func<TProblem, string?>? refuses = null,
    params SimtKernel[] kernels) : Variant(name, kind, kernels)
    where TProblem : struct
{
    /// <param name="preparation">What it makes of inputs that seldom change, and its run with that.</param>
    /// <param name="workspace">Floats of workspace beside what is prepared.</param>
    public Variant(string name, VariantKind kind, Preparation<TProblem> preparation, Func<Device, TProblem, long> workspace, Func<TProblem, string?>? refuses = null, params SimtKernel[] kernels)
        : this(name, kind, preparation.RunWhole, (device, problem) => preparation.Length(device, problem) + workspace(device, problem), refuses, kernels)
        => Preparation = preparation;

    public Launch<TProblem> Run { get; } = run;

    /// <summary>Null where nothing is worth keeping from call to call.</summary>
    public Preparation<TProblem>? Preparation { get; }

    public long Workspace(Device device, in TProblem problem) => workspace?.Invoke(device, problem) ?? 0;

    /// <summary>Why it leaves a problem that it could take to a variant behind it, or null: it is not chosen then, and runs where it is asked for by name.</summary>
    public Func<Device, TProblem, string?>? Leaves { get; init; }

    /// <summary>Why it does not take this problem on this device, or null if it does.</summary>
    public string? Refuses(Device device, in TProblem problem) => RefusesDevice(device) ?? refuses?.Invoke(problem);
}
