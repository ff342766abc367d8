using System.Runtime.InteropServices;
using System.Text;
using ILGPU.Runtime.Cuda;
using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Ptx;
using IlgpuNetVlad.PtxDriver;

namespace IlgpuNetVlad.Tests.PtxDriver;

/// <summary>What the driver refuses or lets go wrong, as NVIDIA's would, and each time.</summary>
[TestFixture]
public sealed class DriverRules
{
    [Test]
    public void WhatNobodyWaitedFor_HasNotHappened()
    {
        using var device = Driven.Open();
        using var numbers = device.Allocate([1f, 2f]);
        using var host = device.AllocateHost(2);
        using var mark = device.CreateMark();
        host.Span.Fill(7);
        device.Kernels.Download(numbers, host);
        device.Kernels.Set(mark);
        Assert.That(host.Span.ToArray(), Is.EqualTo(new[] { 7f, 7f }));
        mark.Wait();
        Assert.That(host.Span.ToArray(), Is.EqualTo(new[] { 1f, 2f }));
    }

    [Test]
    public void NewMemory_HoldsNoNumbers()
    {
        using var device = Driven.Open();
        using var fresh = device.Accelerator.Allocate1D<float>(3);
        Assert.That(device.Download(fresh.View.AsContiguous()), Has.All.NaN);
    }

    [Test]
    public void AThread_NeedsItsContext()
    {
        using var device = Driven.Open();
        string? said = null;
        var thread = new Thread(() => said = Assert.Throws<InvalidOperationException>(() => CudaDriver.CreateEvent(timed: false))!.Message);
        thread.Start();
        thread.Join();
        Assert.That(said, Does.Contain("CUDA error 201"));
    }

    [Test]
    public void SharedMemory_MustBeAskedFor_AndEnds()
    {
        using var device = Driven.Open(chip: "A100");
        using var offline = new OfflinePtx();
        var addition = Addition.Operation.AllVariants.Single(v => v.Kernels.Count > 0).Kernels[0];
        var kernel = (CudaKernel)device.Accelerator.LoadKernel(EntryNames.Compiled(device.Accelerator.Context, addition, offline.Emit(addition)));
        CudaDriver.GiveSharedMemory(kernel.FunctionPtr, 163 * 1024);
        Assert.That(() => CudaDriver.GiveSharedMemory(kernel.FunctionPtr, 164 * 1024), Throws.InvalidOperationException.With.Message.Contains("CUDA error 1"));
    }

    [TestCase(".maxntid 288\n.maxnreg 168", 288, null)]
    [TestCase(".maxntid 288\n.maxnreg 169", 288, CudaResult.LaunchOutOfResources)]
    [TestCase(".maxnreg 169", 256, null)]
    [TestCase(".maxnreg 256", 32, CudaResult.LaunchOutOfResources)]
    [TestCase(".maxntid 16, 8\n.minnctapersm 1", 128, null)]
    [TestCase(".maxntid 16, 8\n.minnctapersm 1", 129, CudaResult.InvalidValue)]
    [TestCase("", 1024, null)]
    public void ALaunch_HasTheThreadsAndRegistersThatWereSaid(string directives, int threads, object? refused)
    {
        var kernel = new LoadedKernel(PtxModule.Parse($".version 7.0\n.target sm_80\n.address_size 64\n.visible .entry k()\n{directives}\n{{\nret;\n}}\n").Kernels[0]);
        CudaResult? found = null;
        try
        {
            kernel.Check(new((1, 1, 1), (threads, 1, 1)));
        }
        catch (DriverException e)
        {
            found = e.Result;
        }
        Assert.That(found, Is.EqualTo(refused));
    }

    /// <summary>The number of an error alone would say nothing of a line that an assembler does not take.</summary>
    [Test]
    public void WhatTheDriverSaysOfAKernelThatItRefuses_IsTold()
    {
        using var device = Driven.Open(chip: "A100");
        var operation = Convolution.ForwardOperation;
        var variant = operation.AllVariants.First(v => v.Kind == VariantKind.Wgmma);
        object problem = operation.AllExamples.First(p => operation.FlopsOf(p) > 0 && operation.RefusalOf(variant, Devices.Hopper, p) is null);
        var row = new DeviceComparison(device, Devices.Cpu).Row(new(operation, variant, problem));
        Assert.That(row.Message, Does.Contain(variant.Kernels[0].Name).And.Contain("CUDA_ERROR_NO_BINARY_FOR_GPU").And.Contain("): A module for sm_90a does not run on A100"));
        Assert.That(device.IsLost, Is.False, "the next kernel may be taken");
        Assert.That(CudaDriver.WordsOn(".version 7.0\n.wish\n"), Does.Contain("wish").And.Not.Contain("\n"));
    }

    /// <summary>As after a fault of a GPU nothing works any more, and the words say where it was. By the library's own entries, for ILGPU ends a process whose context is lost.</summary>
    [Test]
    public unsafe void AfterAFault_NothingWorks_AndItsPlaceIsTold()
    {
        using (Driven.Open())
        {
        }
        nint library = NativeLibrary.Load(CudaLibrary.Name);
        nint Entry(string name) => NativeLibrary.GetExport(library, name);
        var allocate = (delegate* unmanaged<ulong*, nuint, int>)Entry("cuMemAlloc_v2");
        var synchronize = (delegate* unmanaged<int>)Entry("cuCtxSynchronize");
        nint context, module, function, text;
        Assert.That(((delegate* unmanaged<nint*, uint, int, int>)Entry("cuCtxCreate_v2"))(&context, 0, 0), Is.Zero);
        using var offline = new OfflinePtx();
        var kernel = Addition.Operation.AllVariants.Single(v => v.Kernels.Count > 0).Kernels[0];
        fixed (byte* image = Encoding.ASCII.GetBytes(offline.Compile(kernel) + '\0'), name = Encoding.ASCII.GetBytes(kernel.Entry + '\0'))
        {
            Assert.That(((delegate* unmanaged<nint*, byte*, int>)Entry("cuModuleLoadData"))(&module, image), Is.Zero);
            Assert.That(((delegate* unmanaged<nint*, nint, byte*, int>)Entry("cuModuleGetFunction"))(&function, module, name), Is.Zero);
        }
        ulong address;
        Assert.That(allocate(&address, 16), Is.Zero);
        Assert.That(((delegate* unmanaged<ulong, int>)Entry("cuMemFree_v2"))(address), Is.Zero);
        ulong* view = stackalloc ulong[] { address, 4 };
        int length = 4;
        nint* values = stackalloc nint[] { (nint)view, (nint)view, (nint)(&length) };
        int launched = ((delegate* unmanaged<nint, uint, uint, uint, uint, uint, uint, uint, nint, nint*, nint*, int>)Entry("cuLaunchKernel"))(function, 1, 1, 1, 128, 1, 1, 0, 0, values, null);
        Assert.That((launched, synchronize()), Is.EqualTo((0, 700)), "the launch is only given, and ends in an illegal address");
        ((delegate* unmanaged<int, nint*, int>)Entry("cuGetErrorString"))(700, &text);
        Assert.That(Marshal.PtrToStringUTF8(text), Does.Contain(kernel.Entry).And.Contain("PTX line"));
        Assert.That(allocate(&address, 16), Is.EqualTo(700));
    }
}
