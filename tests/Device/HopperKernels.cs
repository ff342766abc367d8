using ILGPU;
using ILGPU.Runtime;
using IlgpuNetVlad.App.Emitted;
using IlgpuNetVlad.Kernels;
using Device = IlgpuNetVlad.Kernels.Device;

namespace IlgpuNetVlad.Tests.DeviceTests;

/// <summary>Kernels for Hopper go to Hopper alone, with the head and the shared memory that they need.</summary>
[TestFixture]
public sealed class HopperKernels
{
    private static IEnumerable<(Operation Operation, Variant Variant)> OfHopper()
        => from operation in KernelTable.All from variant in operation.AllVariants where variant.Kind == VariantKind.Wgmma select (operation, variant);

    [Test]
    public void NoOtherDeviceTakesThem()
    {
        Assert.That(OfHopper().Select(v => v.Operation.Name), Is.EquivalentTo(new[]
        {
            "convolution.forward", "convolution.forward", "convolution.forward-pooled", "convolution.forward-pooled", "convolution.backward-data", "convolution.backward-data", "convolution.backward-weights",
            "convolution.backward-weights", "convolution.backward-weights-pixels",
        }));
        foreach (var (operation, variant) in OfHopper())
            foreach (var device in new[] { Devices.Cpu, Devices.Simulation })
                Assert.That(operation.AllExamples.Select(p => operation.RefusalOf(variant, device, p)), Has.All.EqualTo("needs a CUDA device of compute capability 9.0"));
        Assert.That((Devices.Simulation.HasWgmma, Devices.Cpu.HasWgmma, Devices.Hopper.HasWgmma), Is.EqualTo((false, false, true)));
    }

    [Test]
    public void TheirHeadIsRewritten_AndNoOther()
    {
        using var compiler = new OfflinePtx();
        foreach (var kernel in OfHopper().SelectMany(v => v.Variant.Kernels).Distinct())
        {
            string text = compiler.Compile(kernel);
            Assert.That(text, Does.Contain(kernel.Hopper ? ".target sm_90a" : ".target sm_80").And.Contain(kernel.CopiesTensors ? ".version 8.3" : kernel.Hopper ? ".version 8.0" : ".version 7.0"), kernel.Name);
            Assert.That(text.Contains("wgmma.mma_async", StringComparison.Ordinal), Is.EqualTo(kernel.Hopper), kernel.Name);
            Assert.That(text.Contains("cp.async.bulk.tensor", StringComparison.Ordinal), Is.EqualTo(kernel.CopiesTensors), kernel.Name);
        }
    }

    [TestCase(".version 8.3\n.target sm_80\n", ".version 8.3\n.target sm_90a\n", TestName = "ANewerVersion_Stays")]
    [TestCase(".version 7.8\n.target sm_80\n", ".version 8.0\n.target sm_90a\n", TestName = "AnOlderVersion_IsRaised")]
    public void TheHead(string written, string expected) => Assert.That(HopperTarget.Rewrite(written, copiesTensors: false), Is.EqualTo(expected));

    [Test]
    public void TheHead_OfWhatCopiesTensors() => Assert.That(HopperTarget.Rewrite(".version 7.8\n.target sm_80\n", copiesTensors: true), Is.EqualTo(".version 8.3\n.target sm_90a\n"));

    [TestCase(0u, 0)]
    [TestCase(1024u, 0)]
    [TestCase(16u, 63)]
    [TestCase(5104u, 1)]
    public void TheFirstStageBeginsAtAPattern(uint address, int chunks) => Assert.That(WgmmaTile.FirstStage(address), Is.EqualTo(chunks));

    /// <summary>VGG's layers at 480×640: those that give most multiprocessors a large tile, and no others.</summary>
    [TestCase(1, 240, 128, "wgmma-tma-256x128x64")]
    [TestCase(1, 240, 64, "bf16-128x64x32")]
    [TestCase(1, 30, 512, "bf16-128x64x32")]
    [TestCase(8, 30, 512, "wgmma-tma-256x128x64")]
    [TestCase(40, 12, 512, "wgmma-256x128x64")]
    public void TheyAreChosenWhereTheyFillTheChip(int images, int rows, int channels, string variant)
    {
        using var launcher = new PtxLauncher();
        using var device = Device.Simulation(Precision.Bf16, launcher);
        var shape = new ConvolutionShape(images, rows, rows / 3 * 4, channels, channels, 3, 3, 1, 1);
        Assert.That(Convolution.ForwardOperation.Choose(device, shape).Name, Is.EqualTo(variant));
        Assert.That(Convolution.ForwardPooledOperation.Choose(device, shape).Name, Is.EqualTo(variant), "one is written where the other would be");
    }

    /// <summary>Gradients by weights of VGG's layers with 512 channels: slices in whole waves where images are enough, as many as pay for their sums, and else smaller tiles.</summary>
    [TestCase(1, 512, 512, 1, "bf16-128x256x32")]
    [TestCase(2, 512, 512, 1, "bf16-128x128x32")]
    [TestCase(3, 512, 512, 3, "wgmma-tma-256x128x64")]
    [TestCase(8, 512, 512, 3, "wgmma-tma-256x128x64")]
    [TestCase(48, 512, 512, 9, "wgmma-tma-256x128x64")]
    [TestCase(8, 256, 512, 3, "wgmma-tma-256x128x64")]
    public void SlicesOfGradientsByWeights_FillTheChip(int images, int ic, int oc, int slices, string variant)
    {
        using var launcher = new PtxLauncher();
        using var device = Device.Simulation(Precision.Bf16, launcher);
        var shape = new ConvolutionShape(images, 30, 40, ic, oc, 3, 3, 1, 1, 1, 1);
        Assert.That((TensorCoreProblem.OfTma(shape).Slices, TensorCoreProblem.OfWgmma(shape).Slices), Is.EqualTo((slices, slices)));
        Assert.That(Convolution.BackwardWeightsOperation.Choose(device, shape).Name, Is.EqualTo(variant));
    }

    /// <summary>What is done wrong is told and not waited for: a simulated block runs to its end, and the launch throws.</summary>
    [Test]
    public void ASimulatedBlock_TellsWhatIsWrong()
    {
        var kernel = new SimtKernel<Action<KernelConfig, ArrayView<float>>>("waits", WaitsInVain, Bytes, new(32, 1));
        lock (Devices.Hopper)
        {
            using var result = Devices.Hopper.Allocate(2);
            var launch = kernel.On(Devices.Hopper);
            var config = new KernelConfig(new Index3D(1, 1, 1), new Index3D(32, 1, 1), SharedMemoryConfig.RequestDynamic<Chunk>(Bytes / 16));
            Assert.That(
                () => launch(config, result.View),
                Throws.InvalidOperationException.With.Message.EqualTo("waits, block (0, 0, 0), thread 0: phase 0 of the mbarrier at 2048 never ends: 1 arrivals and 0 bytes are missing."));
            Assert.That(Devices.Hopper.Download(result.View), Is.EqualTo(new[] { float.NaN, 0 }), "sums of a product that is on its way, and those of one that has ended");
        }
    }

    /// <summary>Shared memory for operands of one product.</summary>
    private const int Bytes = 20 * 1024;

    private static void WaitsInVain(ArrayView<float> result)
    {
        Wgmma.Open();
        var shared = SharedMemory.GetDynamic<Chunk>();
        uint start = Wgmma.Address(ref shared[0]);
        start += (uint)WgmmaTile.FirstStage(start) * 16;
        for (int i = Group.IdxX; i < Bytes / 16; i += 32)
            shared[i] = default;
        Group.Barrier();
        Wgmma.Start(start, start, 0, 0);
        if (Group.IdxX == 0)
            result[0] = Wgmma.Sums(0).M0.A0;
        Wgmma.WaitForAll();
        if (Group.IdxX != 0)
            return;
        result[1] = Wgmma.Sums(0).M0.A0;
        MemoryBarrier.Make(start, 2);
        MemoryBarrier.Arrive(start, 1);
        MemoryBarrier.Wait(start, 0);
    }

    [Test]
    public void WhereTheDriverTakesNoTensorMaps_CopiesByThreadsAreChosen()
    {
        using var device = Device.Simulation(Precision.Bf16, new CountsMaps());
        using var without = Device.Simulation(Precision.Bf16, new WithoutTensorMaps());
        var shape = new ConvolutionShape(8, 60, 80, 256, 256, 3, 3, 1, 1);
        foreach (var operation in new[] { Convolution.ForwardOperation, Convolution.ForwardPooledOperation, Convolution.BackwardDataOperation, Convolution.BackwardWeightsOperation })
            Assert.That((operation.Choose(device, shape).Name, operation.Choose(without, shape).Name), Is.EqualTo(("wgmma-tma-256x128x64", "wgmma-256x128x64")), operation.Name);
    }

    /// <summary>A step launches what it launched before: nothing is made a second time, and a block full of maps begins anew.</summary>
    [Test]
    public void TensorMapsAreMadeOnce()
    {
        var launcher = new CountsMaps();
        using var device = Device.Simulation(Precision.Bf16, launcher);
        var maps = device.TensorMaps;
        nint Place(int address) => maps.Of(new(16 * address, 8, 1, 1, 1, 1, 1)).LoadEffectiveAddressAsPtr();
        nint first = Place(1), second = Place(2);
        Assert.That((Place(1), Place(2), launcher.Made), Is.EqualTo((first, second, 2)));
        Assert.That(second - first, Is.EqualTo((nint)TensorMapBytes.Length));
        for (int i = 3; i <= TensorMaps.Capacity; i++)
            Place(i);
        Assert.That((Place(TensorMaps.Capacity + 1), launcher.Made), Is.EqualTo((first, TensorMaps.Capacity + 1)));
        Assert.That((Place(1), launcher.Made), Is.EqualTo((second, TensorMaps.Capacity + 2)), "the first was written over");
        Assert.That(device.AllocationCount, Is.EqualTo(1));
    }

    private class CountsMaps : IKernelLauncher
    {
        public int Made { get; private set; }

        public void Launch(SimtKernel kernel, KernelConfig config, KernelArgument[] arguments)
        {
        }

        public void Encode(in TensorBox box, Span<float> map) => Made++;
    }

    private sealed class WithoutTensorMaps : CountsMaps, IKernelLauncher
    {
        public string? RefusesTensorMaps => "needs another driver";
    }
}
