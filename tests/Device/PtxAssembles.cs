using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.DeviceTests;

/// <summary>Every CUDA kernel of the table, compiled without a GPU: the driver alone is enough, and nothing goes through local memory.</summary>
[TestFixture, Parallelizable]
public sealed class PtxAssembles
{
    private static readonly Lazy<OfflinePtx> Compiler = new(() => new OfflinePtx());

    public static IEnumerable<TestCaseData> Kernels()
        => KernelTable.All.SelectMany(o => o.AllVariants).SelectMany(v => v.Kernels).Distinct().Select(k => new TestCaseData(k).SetArgDisplayNames(k.Name));

    [OneTimeTearDown]
    public void Close()
    {
        if (Compiler.IsValueCreated)
            Compiler.Value.Dispose();
    }

    [Test]
    public void EveryKernelHasItsOwnName()
        => Assert.That(KernelTable.All.SelectMany(o => o.AllVariants).SelectMany(v => v.Kernels).Distinct().Select(k => k.Name), Is.Unique);

    [Test]
    public void EveryCudaVariantNamesItsKernels()
    {
        foreach (var operation in KernelTable.All)
            foreach (var variant in operation.AllVariants)
                Assert.That(variant.Kernels.Count > 0, Is.EqualTo(variant.Kind is VariantKind.Simt or VariantKind.TensorCore or VariantKind.Wgmma), $"{operation.Name} {variant.Name}");
    }

    [TestCaseSource(nameof(Kernels))]
    public void Kernel_CompilesWithoutLibdeviceDoublesOrLocalMemory(SimtKernel kernel)
    {
        string ptx;
        lock (Compiler)
            ptx = Compiler.Value.Compile(kernel);
        Assert.Multiple(() =>
        {
            Assert.That(ptx, Does.Contain(".visible .entry"));
            Assert.That(ptx, Does.Not.Contain(".f64"), "a double would become a float on CUDA, silently");
            Assert.That(ptx, Does.Not.Contain(".extern .func"), "an unresolved function needs libdevice");
            Assert.That(ptx, Does.Not.Contain("__nv_"), "libdevice would need a CUDA toolkit on the user's machine");
            Assert.That(ptx, Does.Not.Contain(".local"), "local memory is slow global memory");
        });
    }
}
