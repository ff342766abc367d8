using System.Runtime.InteropServices;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.DeviceTests;

/// <summary>Walks the table: every variant of every operation against Reference, on every example, with guard values around each buffer.</summary>
/// <remarks>Nothing runs beside it: simulated barriers are met by threads of the system, and while others keep the cores they take more than twice as long.</remarks>
[TestFixture]
public sealed class VariantsAgree
{
    private const int GuardLength = 32;
    private const float GuardValue = -123456.75f;

    /// <summary>A problem that a variant refuses is no case of it.</summary>
    public static IEnumerable<TestCaseData> Cases()
        => from operation in KernelTable.All
           from problem in operation.AllExamples
           from pair in Devices.VariantsOf(operation, problem).Concat(OnHopper(operation, problem))
           where pair.Variant.Kind != VariantKind.Reference && !TakesLong(operation, pair.Variant, pair.Device, problem)
           select new TestCaseData(operation, pair.Variant, pair.Device, problem)
               .SetName($"{operation.Name}_{pair.Variant.Name}_{pair.Device.Kind}_MatchesReference({problem})");

    /// <summary>
    /// A hundred taps or a thousand rows of a database, each with some barriers of 256 threads of the system: executing the emitted PTX, as EmittedPtxAgrees does on every example, takes a second.
    /// So examples of tensor cores' kernels with more than 300,000 operations run as emitted PTX alone.
    /// So do examples of fp32's small tiles with more than 5,000,000. Large tiles multiply mostly zeros in examples, so a few of these will do, and one of each that reads pixels, for only what it reads is its own, and some of the narrow tile in fp32.
    /// </summary>
    private static bool TakesLong(Operation operation, Variant variant, Device device, object problem)
        => device == Devices.Simulation && variant.Kind == VariantKind.Simt && operation.FlopsOf(problem) > (variant.Name == SimtLargeTile<NarrowSimtTile>.Name ? 2_000_000 : 5_000_000)
            || variant.Kind == VariantKind.TensorCore && device == Devices.Simulation
            && (operation.FlopsOf(problem) > 300_000 || problem is ConvolutionShape { R: > 7 } or SearchShape { Database: > 1000 }
                || problem is PixelConvolutionShape or PixelWindowedShape && (operation.FlopsOf(problem) > 70_000 || operation != Convolution.BackwardWeightsPixelsOperation && variant.Name.Contains("128x128", StringComparison.Ordinal))
                || variant.Kernels.Any(k => k.DynamicSharedBytes > 0) && operation.FlopsOf(problem) > 200_000);

    /// <summary>The variants with wgmma: of the larger examples those with maps in bf16, which straddle every edge of their tiles.</summary>
    private static IEnumerable<(Variant Variant, Device Device)> OnHopper(Operation operation, object problem)
        => from variant in operation.AllVariants
           where variant.Kind == VariantKind.Wgmma && operation.RefusalOf(variant, Devices.Hopper, problem) is null
           where problem is not ConvolutionShape { XBf16: 0, YBf16: 0 } || operation.FlopsOf(problem) < 25_000
           select (variant, Devices.Hopper);

    [Test]
    public void EveryVariant_TakesSomeExample_AndReferenceStandsLast()
    {
        foreach (var operation in KernelTable.All)
        {
            var taken = operation.AllExamples.SelectMany(p => Devices.VariantsOf(operation, p)).Select(pair => pair.Variant).ToHashSet();
            taken.UnionWith(operation.AllVariants.Where(v => v.Kind == VariantKind.Wgmma && operation.AllExamples.Any(p => operation.RefusalOf(v, Devices.Hopper, p) is null)));
            Assert.That(taken, Is.EquivalentTo(operation.AllVariants), operation.Name);
            Assert.That(operation.AllVariants.Select(v => v.Kind == VariantKind.Reference), Is.EqualTo(operation.AllVariants.Select(v => v == operation.AllVariants[^1])), operation.Name);
        }
    }

    /// <summary>So that CUDA's kernels have been seen to run as C#, not as emitted PTX alone.</summary>
    [Test]
    public void EveryKernelForCuda_RunsUnderSimulatedWarps()
    {
        var run = Cases().Where(c => (Device)c.Arguments[2]! != Devices.Cpu && ((Operation)c.Arguments[0]!).FlopsOf(c.Arguments[3]!) > 0).Select(c => (c.Arguments[0], c.Arguments[1])).ToHashSet();
        var all = from operation in KernelTable.All
                  from variant in operation.AllVariants
                  where variant.Kind is not (VariantKind.Host or VariantKind.Reference) && !run.Contains((operation, variant))
                  select $"{operation.Name} {variant.Name}";
        Assert.That(all, Is.Empty);
    }

    [Test]
    public void Variants_OnCuda()
    {
        if (Devices.Cuda is null)
            Assert.Ignore("No CUDA device: Simt variants are compared in simulation alone.");
    }

    [TestCaseSource(nameof(Cases))]
    public void Variant_MatchesReference(Operation operation, Variant variant, Device device, object problem)
    {
        var reference = operation.AllVariants[^1];
        problem = Rounding.To(variant.Precision, problem);
        var inputs = operation.InputsFor(problem, seed: 7);
        // Inputs that bf16 or tf32 hold exactly leave the errors of the sums alone, a far narrower bound than rounding has.
        foreach (var (input, spec) in inputs.Zip(operation.BuffersOf(problem)).Where(b => !b.Second.IsIndex && b.Second.Bf16Row == 0))
            Rounding.To(variant.Precision, input);
        var expected = Run(operation, reference, Devices.Cpu, problem, inputs);
        var actual = Run(operation, variant, device, problem, inputs);
        double tolerance = operation.ToleranceOf(reference, problem);
        var specs = operation.BuffersOf(problem);
        for (int i = 0; i < specs.Length; i++)
        {
            if (specs[i].Access == Access.Read)
                AssertSameBits(actual[i], inputs[i], $"{specs[i].Name} is only read");
            else if (specs[i].IsIndex)
                AssertSameBits(actual[i], expected[i], specs[i].Name);
            else
                Assert.That(DeviceCheck.RelativeError(Numbers(specs[i], actual[i]), Numbers(specs[i], expected[i])), Is.LessThanOrEqualTo(tolerance), $"{specs[i].Name}: relative L2 error");
        }
    }

    /// <summary>What a buffer holds. Rows of bf16 must be filled up with zeros: products take what stands there for numbers.</summary>
    internal static float[] Numbers(BufferSpec spec, float[] buffer)
    {
        if (spec.Bf16Row > 0 && spec.Bf16Row % 8 != 0)
            Assert.That(Bf16Rows.Unpack(buffer, (spec.Bf16Row + 7) / 8 * 8).Where((_, i) => i % ((spec.Bf16Row + 7) / 8 * 8) >= spec.Bf16Row), Has.All.Zero, $"{spec.Name}: behind the last channel");
        return spec.NumbersOf(buffer);
    }

    /// <summary>What rounding costs on inputs as they come: 2⁻⁸ of a product at most in bf16, 2⁻¹⁰ in tf32.</summary>
    [TestCaseSource(nameof(RoundingCases))]
    public void Variant_RoundsInputs_Once(Operation operation, Variant variant, object problem)
    {
        var inputs = operation.InputsFor(problem, seed: 9);
        var expected = Run(operation, operation.AllVariants[^1], Devices.Cpu, problem, inputs);
        var actual = Run(operation, variant, Devices.Simulating(variant), problem, inputs);
        var errors = operation.BuffersOf(problem).Select((b, i) => b.Access == Access.Read ? 0 : DeviceCheck.RelativeError(actual[i], expected[i])).ToArray();
        Assert.That(errors.Max(), Is.LessThanOrEqualTo(operation.ToleranceOf(variant, problem)).And.GreaterThan(variant.Precision == Precision.Bf16 ? 1e-3 : 2e-5), "rounded, and no more than once");
    }

    public static IEnumerable<TestCaseData> RoundingCases()
        => from operation in KernelTable.All
           from variant in operation.AllVariants
           where variant.Precision != Precision.Fp32 && operation != Convolution.BackwardWeightsPixelsOperation // the product of backward-weights
           let problem = operation.AllExamples.First(p => operation.FlopsOf(p) > 10_000 && operation.RefusalOf(variant, Devices.Simulating(variant), p) is null)
           select new TestCaseData(operation, variant, problem).SetArgDisplayNames(operation.Name, variant.Name);

    /// <summary>
    /// Whether a variant gives on a device what Reference gives. Inputs are what bf16 or tf32 hold exactly, so that the errors of the sums alone are left.
    /// </summary>
    internal static void AssertMatchesReference(Operation operation, Variant variant, Device device, object problem, int seed)
    {
        var reference = operation.AllVariants[^1];
        problem = Rounding.To(variant.Precision, problem);
        var inputs = operation.InputsFor(problem, seed);
        foreach (var (input, _) in inputs.Zip(operation.BuffersOf(problem)).Where(b => !b.Second.IsIndex && b.Second.Bf16Row == 0))
            Rounding.To(variant.Precision, input);
        var expected = Run(operation, reference, Devices.Cpu, problem, inputs);
        var actual = Run(operation, variant, device, problem, inputs);
        var specs = operation.BuffersOf(problem);
        for (int i = 0; i < specs.Length; i++)
            if (specs[i].IsIndex || specs[i].Access == Access.Read)
                AssertSameBits(actual[i], expected[i], specs[i].Name);
            else
                Assert.That(DeviceCheck.RelativeError(Numbers(specs[i], actual[i]), Numbers(specs[i], expected[i])), Is.LessThanOrEqualTo(operation.ToleranceOf(reference, problem)), specs[i].Name);
    }

    /// <summary>
    /// Runs a variant on copies of the inputs; written buffers start as NaN; guards around every buffer are checked. Fixtures that run side by side share devices, which take one launch at a time.
    /// </summary>
    internal static float[][] Run(Operation operation, Variant variant, Device device, object problem, float[][] inputs)
    {
        lock (device)
            return RunAlone(operation, variant, device, problem, inputs);
    }

    private static float[][] RunAlone(Operation operation, Variant variant, Device device, object problem, float[][] inputs)
    {
        var specs = operation.BuffersOf(problem);
        var buffers = new DeviceBuffer[specs.Length];
        var views = new ILGPU.ArrayView<float>[specs.Length];
        for (int i = 0; i < specs.Length; i++)
        {
            var padded = new float[specs[i].Length + 2 * GuardLength];
            Array.Fill(padded, GuardValue);
            if (specs[i].Access == Access.Write)
                Array.Fill(padded, float.NaN, GuardLength, (int)specs[i].Length);
            else
                inputs[i].CopyTo(padded, GuardLength);
            buffers[i] = device.Allocate(padded);
            views[i] = buffers[i].View.SubView(GuardLength, specs[i].Length);
        }
        long need = operation.WorkspaceOf(variant, device, problem);
        var scratch = new float[need + 2 * GuardLength];
        Array.Fill(scratch, float.NaN);
        Array.Fill(scratch, GuardValue, 0, GuardLength);
        Array.Fill(scratch, GuardValue, (int)need + GuardLength, GuardLength);
        using var workspace = device.Allocate(scratch);
        operation.RunWith(variant, device, problem, views, workspace.View.SubView(GuardLength, need));
        var results = new float[specs.Length][];
        for (int i = 0; i < specs.Length; i++)
        {
            var padded = device.Download(buffers[i].View);
            buffers[i].Dispose();
            AssertGuards(padded, specs[i].Length, specs[i].Name);
            results[i] = padded[GuardLength..^GuardLength];
        }
        AssertGuards(device.Download(workspace.View), need, "workspace");
        return results;
    }

    /// <summary>NUnit's comparison of collections takes longer than most kernels.</summary>
    internal static void AssertSameBits(ReadOnlySpan<float> actual, ReadOnlySpan<float> expected, string what)
    {
        Assert.That(actual.Length, Is.EqualTo(expected.Length), what);
        int same = MemoryMarshal.Cast<float, int>(actual).CommonPrefixLength(MemoryMarshal.Cast<float, int>(expected));
        if (same < actual.Length)
            Assert.Fail($"{what}: number {same} of {actual.Length} is {actual[same]:R} instead of {expected[same]:R}");
    }

    private static void AssertGuards(float[] padded, long length, string name)
    {
        for (int i = 0; i < GuardLength; i++)
            if (padded[i] != GuardValue || padded[GuardLength + length + i] != GuardValue)
                Assert.Fail($"something was written outside of {name}");
    }
}
