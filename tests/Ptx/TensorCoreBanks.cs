using IlgpuNetVlad.App.Emitted;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.Ptx;

/// <summary>The swizzle of <see cref="TensorTile"/> is for speed alone, so no result shows it: the banks of shared memory do.</summary>
[TestFixture]
public sealed class TensorCoreBanks
{
    public static IEnumerable<TestCaseData> Kernels()
        => (from operation in KernelTable.All
            from variant in operation.AllVariants
            where variant.Kind is VariantKind.TensorCore or VariantKind.Wgmma && operation.Name.Split('.')[0] is not ("max-pooling" or "local-response")
            select variant.Kernels[0]).Concat([Bf16Dots.Kernel, Bf16Moments.Kernel]).Distinct().Select(kernel => new TestCaseData(kernel).SetArgDisplayNames(kernel.Name));

    [TestCaseSource(nameof(Kernels))]
    public void NoTwoThreadsMeetInABank(SimtKernel kernel)
    {
        var total = ProfiledRun.Of(kernel, example: null).Profile.Total;
        Assert.That(total.SharedLeastPasses, Is.Positive);
        Assert.That(total.SharedPasses, Is.EqualTo(total.SharedLeastPasses));
    }
}
