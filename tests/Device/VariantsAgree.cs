using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.DeviceTests;

/// <summary>Walks the table: every variant of every operation against Reference, on every example, with guard values around each buffer.</summary>
[TestFixture]
public sealed class VariantsAgree
{
    private const int GuardLength = 32;
    private const float GuardValue = -123456.75f;

    public static IEnumerable<TestCaseData> Cases()
    {
        foreach (var operation in KernelTable.All)
            foreach (var variant in operation.AllVariants.Where(v => v.Kind != VariantKind.Reference))
                foreach (var problem in operation.AllExamples)
                    yield return new TestCaseData(operation, variant, problem).SetName($"{operation.Name}_{variant.Name}_MatchesReference({problem})");
    }

    [OneTimeSetUp]
    public void SwitchedOffIntrinsicsAreOff() => IntrinsicsOff.AssertExpectation();

    [TestCaseSource(nameof(Cases))]
    public void Variant_MatchesReference(Operation operation, Variant variant, object problem)
    {
        var device = variant.Kind == VariantKind.Host ? Devices.Cpu : Devices.Simulation;
        var reference = operation.AllVariants[^1];
        Assert.That(reference.Kind, Is.EqualTo(VariantKind.Reference), "Reference stands last");
        if (operation.RefusalOf(variant, device, problem) is { } refusal)
            Assert.Pass($"not for this problem: {refusal}");
        var inputs = operation.InputsFor(problem, seed: 7);
        var expected = Run(operation, reference, Devices.Cpu, problem, inputs);
        var actual = Run(operation, variant, device, problem, inputs);
        double tolerance = operation.ToleranceOf(problem);
        var specs = operation.BuffersOf(problem);
        for (int i = 0; i < specs.Length; i++)
        {
            if (specs[i].Access == Access.Read)
                Assert.That(actual[i], Is.EqualTo(inputs[i]), $"{specs[i].Name} is only read");
            else if (specs[i].IsIndex)
                Assert.That(actual[i].Select(BitConverter.SingleToInt32Bits), Is.EqualTo(expected[i].Select(BitConverter.SingleToInt32Bits)), specs[i].Name);
            else
                Assert.That(Relative(actual[i], expected[i]), Is.LessThanOrEqualTo(tolerance), $"{specs[i].Name}: relative L2 error");
        }
    }

    /// <summary>‖a − b‖₂ / ‖b‖₂, absolute where b is 0; NaN counts as infinite.</summary>
    internal static double Relative(float[] a, float[] b)
    {
        double difference = 0, norm = 0;
        for (int i = 0; i < b.Length; i++)
        {
            difference += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
            norm += (double)b[i] * b[i];
        }
        double error = norm > 0 ? Math.Sqrt(difference / norm) : Math.Sqrt(difference);
        return double.IsNaN(error) ? double.PositiveInfinity : error;
    }

    /// <summary>Runs a variant on copies of the inputs; written buffers start as NaN; guards around every buffer are checked.</summary>
    internal static float[][] Run(Operation operation, Variant variant, Device device, object problem, float[][] inputs)
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

    private static void AssertGuards(float[] padded, long length, string name)
    {
        for (int i = 0; i < GuardLength; i++)
            if (padded[i] != GuardValue || padded[GuardLength + length + i] != GuardValue)
                Assert.Fail($"something was written outside of {name}");
    }
}
