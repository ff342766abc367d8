using IlgpuNetVlad.App.Emitted;
using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Tests.DeviceTests;

namespace IlgpuNetVlad.Tests.Ptx;

/// <summary>The emitted PTX of every CUDA variant, executed, against Reference: the instructions themselves, without a race and without an access outside of an argument.</summary>
[TestFixture]
public sealed class EmittedPtxAgrees
{
    private readonly PtxLauncher launcher = new();
    private Device device = null!;

    [OneTimeSetUp]
    public void Open() => device = Device.Simulation(launcher: launcher);

    [OneTimeTearDown]
    public void Close()
    {
        device.Dispose();
        launcher.Dispose();
    }

    public static IEnumerable<TestCaseData> Cases()
        => from operation in KernelTable.All
           from variant in operation.AllVariants
           where variant.Kernels.Count > 0
           from problem in operation.AllExamples
           select new TestCaseData(operation, variant, problem).SetName($"{operation.Name}_{variant.Name}_EmittedPtxMatchesReference({problem})");

    [TestCaseSource(nameof(Cases))]
    public void EmittedPtx_MatchesReference(Operation operation, Variant variant, object problem)
    {
        if (operation.RefusalOf(variant, device, problem) is not null)
            return;
        var inputs = operation.InputsFor(problem, seed: 11);
        // As in VariantsAgree: what bf16 holds exactly leaves the errors of the sums alone.
        if (variant.Precision == Precision.Bf16)
            foreach (var (input, _) in inputs.Zip(operation.BuffersOf(problem)).Where(b => !b.Second.IsIndex))
                Bf16.Round(input);
        var expected = VariantsAgree.Run(operation, operation.AllVariants[^1], Devices.Cpu, problem, inputs);
        var actual = VariantsAgree.Run(operation, variant, device, problem, inputs);
        var specs = operation.BuffersOf(problem);
        for (int i = 0; i < specs.Length; i++)
            if (specs[i].IsIndex || specs[i].Access == Access.Read)
                Assert.That(actual[i].Select(BitConverter.SingleToInt32Bits), Is.EqualTo(expected[i].Select(BitConverter.SingleToInt32Bits)), specs[i].Name);
            else
                Assert.That(DeviceCheck.RelativeError(actual[i], expected[i]), Is.LessThanOrEqualTo(operation.ToleranceOf(operation.AllVariants[^1], problem)), specs[i].Name);
    }
}
