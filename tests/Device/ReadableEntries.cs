using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Ptx;

namespace IlgpuNetVlad.Tests.DeviceTests;

/// <summary>What a profiler shows of a kernel is its name in the table, and the driver finds it under that name.</summary>
[TestFixture]
public sealed class ReadableEntries
{
    [Test]
    public void EveryKernel_IsFoundUnderItsName()
    {
        using var compiler = new OfflinePtx();
        foreach (var kernel in KernelTable.CudaKernels)
        {
            string name = PtxModule.Parse(compiler.Compile(kernel)).Kernels.Single().Name;
            Assert.That(name, Is.EqualTo(kernel.Entry));
            Assert.That(name.Replace('_', '.'), Does.Contain(kernel.Name.Replace('-', '.')));
        }
        Assert.That(KernelTable.CudaKernels.Select(k => k.Entry), Is.Unique);
    }

    /// <summary>ILGPU asks the driver for the compiled kernel's name.</summary>
    [Test]
    public void TheCompiledKernel_HasTheNameOfItsEntry()
    {
        using var context = KernelContext.Create(_ => { });
        using var offline = new OfflinePtx();
        var kernel = Addition.Operation.AllVariants.SelectMany(v => v.Kernels).First();
        var compiled = EntryNames.Compiled(context, kernel, offline.Emit(kernel));
        Assert.That(compiled.Name, Is.EqualTo(kernel.Entry));
        Assert.That(compiled.PTXAssembly, Does.Contain($".entry {kernel.Entry}("));
    }

    /// <summary>The launcher that a GPU's kernels get, here of one on simulated warps.</summary>
    [Test]
    public void ALauncher_TakesTheKernelsArguments()
    {
        var device = Devices.Simulation;
        var kernel = (SimtKernel<Action<ILGPU.KernelConfig, ILGPU.ArrayView<float>, ILGPU.ArrayView<float>, ILGPU.ArrayView<float>, ILGPU.ArrayView<float>, SgdShape>>)SgdUpdate.Operation.Variants.Single(v => v.Kernels.Count > 0).Kernels[0];
        var launch = CudaLoader.OnDefaultStream<Action<ILGPU.KernelConfig, ILGPU.ArrayView<float>, ILGPU.ArrayView<float>, ILGPU.ArrayView<float>, ILGPU.ArrayView<float>, SgdShape>>(device.Accelerator.LoadKernel(kernel.Method));
        using var p = device.Allocate([1f, 2f]);
        using var g = device.Allocate([4f, 8f]);
        using var v = device.Allocate(2);
        using var scale = device.Allocate([0.5f]);
        launch(new(1, 128), p, g, v, scale, new(2, 0.25f, 0, 0));
        device.Synchronize();
        Assert.That(device.Download(p.View), Is.EqualTo(new[] { 0.5f, 1f }));
    }
}
