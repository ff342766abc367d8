using System.Diagnostics;
using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>What an operation does with a buffer.</summary>
public enum Access
{
    Read,
    Write,
    ReadWrite,
}

/// <summary>One buffer of an operation for one problem.</summary>
/// <param name="Name">As in the contract: x, w, dy…</param>
/// <param name="Length">Elements; may be 0.</param>
/// <param name="IsIndex">32-bit integers, or four bytes, in the buffer's bits instead of floats.</param>
/// <param name="Bf16Row">Numbers of a row where the buffer holds rows of bf16 (<see cref="Bf16Rows"/>), two in each element; 0 elsewhere.</param>
public readonly record struct BufferSpec(string Name, long Length, Access Access, bool IsIndex = false, int Bf16Row = 0)
{
    /// <summary>A map of so many pixels, in fp32 or, where <paramref name="bf16"/> is 1, in rows of bf16.</summary>
    public static BufferSpec Map(string name, long pixels, int channels, int bf16, Access access)
        => new(name, bf16 != 0 ? Bf16Rows.Floats(pixels, channels) : pixels * channels, access, Bf16Row: bf16 != 0 ? channels : 0);

    /// <summary>Numbers that the elements hold.</summary>
    public long Numbers => Bf16Row == 0 ? Length : Length / Bf16Rows.RowFloats(Bf16Row) * Bf16Row;

    /// <summary>The numbers of a buffer.</summary>
    public float[] NumbersOf(float[] buffer) => Bf16Row == 0 ? buffer : Bf16Rows.Unpack(buffer, Bf16Row);
}

/// <summary>An operation for a walk over the table, its problem's type unknown: <see cref="KernelTable"/>, tests, the check of a device.</summary>
public abstract class Operation
{
    /// <summary>Such as <c>convolution.forward</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The formula with its shapes, one line.</summary>
    public required string Contract { get; init; }

    /// <summary>Whether what its kernels do depends on the numbers that they get, not on shapes alone: what some blocks do then says little of the others.</summary>
    public bool FollowsData { get; init; }

    /// <summary>In the order in which they are tried; Reference is last.</summary>
    public abstract IReadOnlyList<Variant> AllVariants { get; }

    /// <summary>Small problems that straddle every tile edge, for comparing variants.</summary>
    public abstract IReadOnlyList<object> AllExamples { get; }

    /// <summary>What is wrong with a problem in one sentence, or null.</summary>
    public abstract string? WrongOf(object problem);

    public abstract BufferSpec[] BuffersOf(object problem);

    /// <summary>Values for the buffers that are read, the same for the same problem and seed.</summary>
    public abstract float[][] InputsFor(object problem, int seed);

    public abstract string? RefusalOf(Variant variant, Device device, object problem);

    public abstract long WorkspaceOf(Variant variant, Device device, object problem);

    public abstract void RunWith(Variant variant, Device device, object problem, ArrayView<float>[] buffers, ArrayView<float> workspace);

    /// <summary>
    /// Largest admitted ‖variant − Reference‖₂ / ‖Reference‖₂ of a written buffer, derived from the length of its sums; more where inputs are rounded, for a
    /// product has the rounding errors of two inputs: 2⁻⁸ for bf16, each at most 2⁻⁹, and 2⁻¹⁰ for tf32, each at most 2⁻¹¹.
    /// </summary>
    public abstract double ToleranceOf(Variant variant, object problem);

    public abstract double FlopsOf(object problem);

    public override string ToString() => Name;
}

/// <summary>
/// One operation: its contract, its costs, and an ordered list of variants, of which the first that takes a problem on a device runs.
/// </summary>
/// <typeparam name="TProblem">The shapes and settings, a value of ints and floats that a CUDA kernel can take as it is.</typeparam>
public sealed class Operation<TProblem> : Operation
    where TProblem : struct
{
    /// <summary>What is wrong with a problem in one sentence, or null.</summary>
    public required Func<TProblem, string?> Check { get; init; }

    /// <summary>The buffers in the order in which <see cref="Run"/> takes them.</summary>
    public required Func<TProblem, BufferSpec[]> Buffers { get; init; }

    /// <summary>Floating-point operations, a fused multiply-add counted as 2.</summary>
    public required Func<TProblem, double> Flops { get; init; }

    /// <summary>Of variants whose inputs are not rounded; see <see cref="Operation.ToleranceOf"/>.</summary>
    public required Func<TProblem, double> Tolerance { get; init; }

    public required Variant<TProblem>[] Variants { get; init; }

    /// <inheritdoc cref="Operation.AllExamples"/>
    public required TProblem[] Examples { get; init; }

    /// <summary>Fills one input for comparisons, where uniform values in [−1, 1] would not do; returns false to take those.</summary>
    public Func<TProblem, string, Random, float[], bool>? Fill { get; init; }

    /// <summary>Least bytes moved: every buffer once, twice where it is read and written.</summary>
    public double Bytes(in TProblem problem)
    {
        double sum = 0;
        foreach (var b in Buffers(problem))
            sum += b.Length * (b.Access == Access.ReadWrite ? 8.0 : 4.0);
        return sum;
    }

    /// <summary>Whether some map of a problem is kept in bf16; null where none ever is.</summary>
    public Func<TProblem, bool>? HasBf16Maps { get; init; }

    /// <summary>Why a variant does not take a problem on a device, or null if it does. Reference sees fp32 whatever the maps are.</summary>
    private string? Refuses(Variant<TProblem> variant, Device device, in TProblem problem)
        => variant.Refuses(device, problem) ?? (HasBf16Maps?.Invoke(problem) == true && !variant.TakesBf16Maps && variant.Kind != VariantKind.Reference ? "takes maps of fp32" : null);

    /// <summary>The variant that will run.</summary>
    /// <exception cref="NotSupportedException">No variant takes the problem; the message gives each one's reason.</exception>
    public Variant<TProblem> Choose(Device device, in TProblem problem)
    {
        if (Find(device, problem) is { } found)
            return found;
        var reasons = new List<string>();
        foreach (var variant in Variants)
            reasons.Add($"{variant.Name} {Refuses(variant, device, problem) ?? variant.Leaves?.Invoke(device, problem)}");
        throw new NotSupportedException($"{Name} {problem} cannot run on {device.Description}: {string.Join("; ", reasons)}.");
    }

    /// <summary>Whether a variant other than Reference will run.</summary>
    public bool Takes(Device device, in TProblem problem) => Find(device, problem) is { Kind: not VariantKind.Reference };

    private Variant<TProblem>? Find(Device device, in TProblem problem)
    {
        if (device.Preferred is { } kind)
            foreach (var variant in Variants)
                if (variant.Kind == kind && Refuses(variant, device, problem) is null)
                    return variant;
        foreach (var variant in Variants)
            if (variant.Precision <= device.Precision && Refuses(variant, device, problem) is null && variant.Leaves?.Invoke(device, problem) is null)
                return variant;
        return null;
    }

    /// <summary>Floats of workspace that <see cref="Run"/> needs.</summary>
    public long Workspace(Device device, in TProblem problem) => Choose(device, problem).Workspace(device, problem);

    /// <summary>Runs the first variant that takes the problem.</summary>
    /// <exception cref="ArgumentException">The problem is invalid, or a buffer or the workspace is too small.</exception>
    public void Run(Device device, in TProblem problem, ReadOnlySpan<ArrayView<float>> buffers, ArrayView<float> workspace)
        => Run(Choose(device, problem), device, problem, buffers, workspace);

    /// <summary>Floats that <see cref="Prepare"/> fills; 0 where the variant that will run keeps nothing.</summary>
    public long Prepared(Device device, in TProblem problem) => Choose(device, problem).Preparation?.Length(device, problem) ?? 0;

    /// <summary>The buffer that what <see cref="Prepare"/> makes stands for, which <see cref="RunPrepared"/> does not need; −1 for none.</summary>
    public int Replaced(Device device, in TProblem problem) => Choose(device, problem).Preparation?.Replaced ?? -1;

    /// <summary>Floats of workspace that <see cref="RunPrepared"/> needs.</summary>
    public long PreparedWorkspace(Device device, in TProblem problem)
    {
        var variant = Choose(device, problem);
        return variant.Workspace(device, problem) - (variant.Preparation?.Length(device, problem) ?? 0);
    }

    /// <summary>Makes of the inputs that seldom change what <see cref="RunPrepared"/> takes, as often as they do change.</summary>
    /// <param name="buffers">As of <see cref="Run"/>; of a convolution only w need be there.</param>
    public void Prepare(Device device, in TProblem problem, ReadOnlySpan<ArrayView<float>> buffers, ArrayView<float> prepared)
        => Observed(Choose(device, problem), device, problem, buffers, prepared, default, prepare: true);

    /// <summary>
    /// As <see cref="Run"/>, with what <see cref="Prepare"/> made of the same weights and shape, for whatever number of images. The buffer that this stands for, if there is one, may be an empty
    /// view (<see cref="Preparation{TProblem}.Replaced"/>).
    /// </summary>
    public void RunPrepared(Device device, in TProblem problem, ReadOnlySpan<ArrayView<float>> buffers, ArrayView<float> prepared, ArrayView<float> workspace)
    {
        var variant = RequirePrepared(device, problem, buffers, prepared, workspace);
        Observed(variant, device, problem, buffers, prepared, workspace);
    }

    /// <summary>Checks what <see cref="RunPrepared"/> takes.</summary>
    /// <returns>The variant that would run.</returns>
    internal Variant<TProblem> RequirePrepared(Device device, in TProblem problem, ReadOnlySpan<ArrayView<float>> buffers, ArrayView<float> prepared, ArrayView<float> workspace)
    {
        var variant = Choose(device, problem);
        Require(variant, device, problem, buffers, prepared.Length + workspace.Length, variant.Preparation?.Replaced ?? -1);
        return variant;
    }

    /// <summary>Runs one variant.</summary>
    public void Run(Variant<TProblem> variant, Device device, in TProblem problem, ReadOnlySpan<ArrayView<float>> buffers, ArrayView<float> workspace)
    {
        Require(variant, device, problem, buffers, workspace.Length);
        Observed(variant, device, problem, buffers, default, workspace);
    }

    private void Require(Variant<TProblem> variant, Device device, in TProblem problem, ReadOnlySpan<ArrayView<float>> buffers, long workspace, int replaced = -1)
    {
        if (Check(problem) is { } wrong)
            throw new ArgumentException($"{Name} {problem}: {wrong}");
        var specs = Buffers(problem);
        if (specs.Length != buffers.Length)
            throw new ArgumentException($"{Name} takes {specs.Length} buffers, not {buffers.Length}.");
        for (int i = 0; i < specs.Length; i++)
            if (i != replaced && buffers[i].Length < specs[i].Length)
                throw new ArgumentException($"{Name} {problem}: {specs[i].Name} needs {specs[i].Length} elements and has {buffers[i].Length}.");
        long need = variant.Workspace(device, problem);
        if (workspace < need)
            throw new ArgumentException($"{Name} {problem}: the workspace needs {need} floats and has {workspace}.");
    }

    private void Observed(
        Variant<TProblem> variant, Device device, in TProblem problem, ReadOnlySpan<ArrayView<float>> buffers, ArrayView<float> prepared, ArrayView<float> workspace, bool prepare = false)
    {
        long begin = 0;
        if (device.Observer is not null)
        {
            device.Synchronize();
            begin = Stopwatch.GetTimestamp();
        }
        if (prepare)
            variant.Preparation!.Prepare(device, problem, buffers, prepared);
        else if (prepared.Length > 0)
            variant.Preparation!.Run(device, problem, buffers, prepared, workspace);
        else if (variant.Kind == VariantKind.Reference && HasBf16Maps?.Invoke(problem) == true)
            RunUnpacked(variant, device, problem, buffers, workspace);
        else
            variant.Run(device, problem, buffers, workspace);
        if (device.Observer is { } observer)
        {
            device.Synchronize();
            observer.Ran(this, variant, problem, prepare, Stopwatch.GetElapsedTime(begin));
        }
    }

    /// <summary>Runs Reference on maps of fp32, and rounds what it writes where the problem's are of bf16.</summary>
    private void RunUnpacked(Variant<TProblem> variant, Device device, in TProblem problem, ReadOnlySpan<ArrayView<float>> buffers, ArrayView<float> workspace)
    {
        var specs = Buffers(problem);
        var unpacked = new DeviceBuffer?[specs.Length];
        var views = buffers.ToArray();
        for (int i = 0; i < specs.Length; i++)
            if (specs[i].Bf16Row > 0)
                views[i] = unpacked[i] = device.Allocate(Bf16Rows.Unpack(HostMemory.Span(views[i])[..(int)specs[i].Length], specs[i].Bf16Row));
        variant.Run(device, problem, views, workspace);
        for (int i = 0; i < specs.Length; i++)
            using (var rows = unpacked[i])
                if (rows is not null && specs[i].Access != Access.Read)
                    Bf16Rows.Pack(HostMemory.Span(rows.View), specs[i].Bf16Row, HostMemory.Span(buffers[i])[..(int)specs[i].Length]);
    }

    public override IReadOnlyList<Variant> AllVariants => Variants;

    public override IReadOnlyList<object> AllExamples => [.. Examples.Select(e => (object)e)];

    public override string? WrongOf(object problem) => Check((TProblem)problem);

    public override BufferSpec[] BuffersOf(object problem) => Buffers((TProblem)problem);

    public override string? RefusalOf(Variant variant, Device device, object problem) => Refuses((Variant<TProblem>)variant, device, (TProblem)problem);

    public override long WorkspaceOf(Variant variant, Device device, object problem) => ((Variant<TProblem>)variant).Workspace(device, (TProblem)problem);

    public override void RunWith(Variant variant, Device device, object problem, ArrayView<float>[] buffers, ArrayView<float> workspace)
        => Run((Variant<TProblem>)variant, device, (TProblem)problem, buffers, workspace);

    public override double ToleranceOf(Variant variant, object problem) => Tolerance((TProblem)problem) + variant.Precision switch
    {
        Precision.Bf16 => 1 / 256.0,
        Precision.Tf32 => 1 / 1024.0,
        _ => 0,
    };

    public override double FlopsOf(object problem) => Flops((TProblem)problem);

    public override float[][] InputsFor(object problem, int seed)
    {
        var typed = (TProblem)problem;
        var random = new Random(seed);
        var specs = Buffers(typed);
        var inputs = new float[specs.Length][];
        for (int i = 0; i < specs.Length; i++)
        {
            inputs[i] = new float[specs[i].Length];
            if (specs[i].Access == Access.Write)
                continue;
            var numbers = specs[i].Bf16Row > 0 ? new float[specs[i].Numbers] : inputs[i];
            if (Fill?.Invoke(typed, specs[i].Name, random, numbers) != true)
                for (int j = 0; j < numbers.Length; j++)
                    numbers[j] = random.NextSingle() * 2 - 1;
            if (specs[i].Bf16Row > 0)
                Bf16Rows.Pack(numbers, specs[i].Bf16Row, inputs[i]);
        }
        return inputs;
    }
}
