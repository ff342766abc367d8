using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Tests.DeviceTests;

namespace IlgpuNetVlad.Tests.GoldenTests;

/// <summary>One comparison with a golden file.</summary>
/// <param name="Name">Operation, variant and device.</param>
public sealed record GoldenCase(string Name, Action Check)
{
    public const double ForwardTolerance = 1e-5, GradientTolerance = 1e-4;

    /// <summary>Every variant of an operation on every device that there is; those for tensor cores, slow in simulation, as their emitted PTX.</summary>
    /// <param name="tensors">Inputs and expected outputs by the names of the operation's buffers; written buffers without an entry are not compared.</param>
    public static IEnumerable<GoldenCase> Each<TProblem>(Operation<TProblem> operation, TProblem problem, IReadOnlyDictionary<string, float[]> tensors)
        where TProblem : struct
    {
        Assert.That(operation.Check(problem), Is.Null, $"{operation.Name} {problem}");
        foreach (var (variant, device) in Devices.VariantsOf(operation, problem))
            yield return variant.Kind == VariantKind.TensorCore && device == Devices.Simulation
                ? new($"{operation.Name}_{variant.Name}_EmittedPtx", () => Compare(operation, variant, Devices.Emitted, problem, tensors))
                : new($"{operation.Name}_{variant.Name}_{device.Kind}", () => Compare(operation, variant, device, problem, tensors));
    }

    /// <summary>Every kind of variant on every device that there is, for what is made of several operations.</summary>
    public static IEnumerable<GoldenCase> EachKind(string name, Action<VariantKind, Device> check)
    {
        yield return new($"{name}_Host_Cpu", () => check(VariantKind.Host, Devices.Cpu));
        yield return new($"{name}_Reference_Cpu", () => check(VariantKind.Reference, Devices.Cpu));
        yield return new($"{name}_Simt_Simulation", () => check(VariantKind.Simt, Devices.Simulation));
        if (Devices.Cuda is { } cuda)
            yield return new($"{name}_Simt_Cuda", () => check(VariantKind.Simt, cuda));
    }

    /// <summary>Runs the first variant of a kind and returns the buffers.</summary>
    public static float[][] Run(Operation operation, VariantKind kind, Device device, object problem, params float[][] inputs)
        => VariantsAgree.Run(operation, operation.AllVariants.First(v => v.Kind == kind && operation.RefusalOf(v, device, problem) is null), device, problem, inputs);

    /// <summary>‖a − b‖₂ / ‖b‖₂, absolute where b is 0, at most what is admitted.</summary>
    public static void AssertClose(float[] actual, float[] expected, double tolerance, string name)
    {
        Assert.That(actual, Has.Length.EqualTo(expected.Length), name);
        Assert.That(DeviceCheck.RelativeError(actual, expected), Is.LessThanOrEqualTo(tolerance), $"{name}: relative L2 error");
    }

    private static void Compare(Operation operation, Variant variant, Device device, object problem, IReadOnlyDictionary<string, float[]> tensors)
    {
        var specs = operation.BuffersOf(problem);
        var inputs = new float[specs.Length][];
        for (int i = 0; i < specs.Length; i++)
        {
            inputs[i] = specs[i].Access == Access.Write || specs[i].Length == 0 ? [] : tensors[specs[i].Name];
            if (specs[i].Access != Access.Write)
                Assert.That(inputs[i], Has.Length.EqualTo(specs[i].Length), specs[i].Name);
        }
        var actual = VariantsAgree.Run(operation, variant, device, problem, inputs);
        int compared = 0;
        for (int i = 0; i < specs.Length; i++)
        {
            string name = specs[i].Name;
            if (specs[i].Access == Access.Read || !tensors.TryGetValue(name, out var expected))
                continue;
            compared++;
            bool gradient = name[0] == 'd' && (name.Length == 2 || char.IsUpper(name[1]));
            if (specs[i].IsIndex)
                Assert.That(actual[i].Select(BitConverter.SingleToInt32Bits), Is.EqualTo(expected.Select(BitConverter.SingleToInt32Bits)), name);
            else
                // And what rounding of inputs adds.
                AssertClose(
                    actual[i], expected, (gradient ? GradientTolerance : ForwardTolerance) + operation.ToleranceOf(variant, problem) - operation.ToleranceOf(operation.AllVariants[^1], problem), name);
        }
        Assert.That(compared, Is.Positive, "a golden file must check something");
    }
}
