using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.PtxDriver;
using IlgpuNetVlad.Tests.DeviceTests;

namespace IlgpuNetVlad.Tests.PtxDriver;

/// <summary>Every CUDA variant from its C# through ILGPU's compiler, loader and launcher to the driver: what arrives there is the PTX that was verified, with the right arguments.</summary>
[TestFixture]
public sealed class DrivenKernels
{
    private Device? opened;

    private Device Device => opened ??= Driven.Open();

    /// <summary>
    /// One of each kind of launch, as executing all takes minutes: by what a kernel takes, and by what is asked of the driver for it. The command <c>doctor --device cuda</c> runs them all.
    /// </summary>
    public static IEnumerable<TestCaseData> Cases()
        => from pair in
               from operation in KernelTable.All
               from variant in operation.AllVariants
               from kernel in variant.Kernels
               group (Operation: operation, Variant: variant) by (kernel.GetType(), kernel.Hopper, kernel.CopiesTensors, kernel.DynamicSharedBytes > 0, variant.Precision) into alike
               select alike.First()
           group pair by pair into once
           select new TestCaseData(once.Key.Operation, once.Key.Variant).SetName($"{once.Key.Operation.Name}_{once.Key.Variant.Name}_OnCudasWay_MatchesReference");

    [OneTimeTearDown]
    public void Close() => opened?.Dispose();

    [TestCaseSource(nameof(Cases))]
    public void Variant_OnCudasWay_MatchesReference(Operation operation, Variant variant)
    {
        object problem = operation.AllExamples.Where(p => operation.FlopsOf(p) > 0 && operation.RefusalOf(variant, Device, p) is null).MinBy(operation.FlopsOf)!;
        VariantsAgree.AssertMatchesReference(operation, variant, Device, problem, seed: 7);

        using var offline = new OfflinePtx();
        var loaded = variant.Kernels.Select(k => (Kernel: k, Text: Driver.TextOf(k.Entry))).Where(k => k.Text is not null).ToList();
        Assert.That(loaded, Is.Not.Empty);
        foreach (var (kernel, text) in loaded)
            Assert.That(text, Is.EqualTo(offline.Compile(kernel)), $"{kernel.Name}: what the driver gets is what is checked without one");
    }
}
