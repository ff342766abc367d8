using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Tests.DeviceTests;

namespace IlgpuNetVlad.Tests.Ptx;

/// <summary>The emitted PTX of every CUDA variant, executed, against Reference: the instructions themselves, without a race and without an access outside of an argument.</summary>
[TestFixture, Parallelizable]
public sealed class EmittedPtxAgrees
{
    public static IEnumerable<TestCaseData> Cases()
        => from operation in KernelTable.All
           from variant in operation.AllVariants
           where variant.Kernels.Count > 0
           from problem in operation.AllExamples
           select new TestCaseData(operation, variant, problem).SetName($"{operation.Name}_{variant.Name}_EmittedPtxMatchesReference({problem})");

    [TestCaseSource(nameof(Cases))]
    public void EmittedPtx_MatchesReference(Operation operation, Variant variant, object problem)
    {
        if (operation.RefusalOf(variant, Devices.Emitted, problem) is null)
            VariantsAgree.AssertMatchesReference(operation, variant, Devices.Emitted, problem, seed: 11);
    }

    public static IEnumerable<TestCaseData> SimulatedCases() => VariantsAgree.RoundingCases().Where(c => c.Arguments[1] is Variant { Kind: not VariantKind.Wgmma });

    /// <summary>On inputs as they come: what is left between the two then is the order of sums, for both round to the same numbers.</summary>
    [TestCaseSource(nameof(SimulatedCases))]
    public void EmittedPtx_RoundsAsTheSimulationDoes(Operation operation, Variant variant, object problem)
    {
        var inputs = operation.InputsFor(problem, seed: 9);
        var expected = VariantsAgree.Run(operation, variant, Devices.Simulation, problem, inputs);
        var actual = VariantsAgree.Run(operation, variant, Devices.Emitted, problem, inputs);
        foreach (var (spec, i) in operation.BuffersOf(problem).Select((s, i) => (s, i)).Where(b => b.s.Access != Access.Read))
            Assert.That(DeviceCheck.RelativeError(actual[i], expected[i]), Is.LessThanOrEqualTo(2 * operation.ToleranceOf(operation.AllVariants[^1], problem)), spec.Name);
    }
}
