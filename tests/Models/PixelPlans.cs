using IlgpuNetVlad.App.Emitted;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Layers;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.Models;

/// <summary>Plans that take 8-bit pixels: the numbers of images that were brought to fp32 before, bit for bit, and no such images in memory.</summary>
[TestFixture]
public sealed class PixelPlans
{
    // Bytes of an image fill no whole floats.
    private const int Height = 75, Width = 79, Images = 2;

    [TestCase("vgg16", "convolution.forward-pixels")]
    [TestCase("squeezenet", "convolution.forward-windowed-pixels")]
    [TestCase("alexnet", "convolution.forward-windowed-pixels")]
    [TestCase("city", "convolution.forward-windowed-pixels")]
    public void Descriptors_AreThoseOfNumbers_BitForBit(string backbone, string operation)
    {
        using var device = Device.Cpu(threads: 2);
        using var network = Network.Create(device, NetworkSettings.For(backbone) with { Pooling = PoolingKind.Average }, 3);
        using var numbers = network.Plan(Images, Height, Width);
        using var pixels = network.Plan(Images, Height, Width, pixels: true);
        Assert.That(pixels.Input.Length, Is.EqualTo(Images * ((Height * Width * 3 + 3) / 4)));
        Fill(network, numbers, pixels);
        float[] expected = device.Download(numbers.Forward(Images));
        var seen = new Names();
        device.Observer = seen;
        Assert.That(device.Download(pixels.Forward(Images)), Is.EqualTo(expected).AsCollection);
        Assert.That(seen.All, Has.Exactly(1).EqualTo(operation).And.None.EqualTo("pixels.numbers"));
        Assert.That(device.Download(pixels.Forward(1)), Is.EqualTo(expected[..network.PooledLength]).AsCollection);
    }

    [TestCase(null)]
    [TestCase("conv2")]
    public void GradientsAndDescriptors_OfTraining_AreThoseOfNumbers_BitForBit(string? from)
    {
        using var network = Network.Create(Devices.Cpu, NetworkSettings.For("city") with { Pooling = PoolingKind.Average }, 3);
        using var numbers = network.Plan(Images, Height, Width, from, training: true);
        using var pixels = network.Plan(Images, Height, Width, from, training: true, pixels: true);
        Fill(network, numbers, pixels);
        var expected = Step(network, numbers);
        var found = Step(network, pixels);
        Assert.That(found, Has.Count.EqualTo(expected.Count));
        for (int i = 0; i < expected.Count; i++)
            Assert.That(found[i], Is.EqualTo(expected[i]).AsCollection, $"result {i}");
        Assert.That(expected[1].Any(x => x != 0), "a gradient");
    }

    /// <summary>Where no kernel reads pixels, as on a GPU in fp32, they become numbers first.</summary>
    [Test]
    public void OtherDevices_ConvertFirst_ToTheSameBits()
    {
        using var device = Device.Simulation();
        using var network = Network.Create(device, new NetworkSettings { Pooling = PoolingKind.Max, Preprocessing = Preprocessing.ImageNet }, 3, Tiny);
        const int height = 9, width = 11;
        using var numbers = network.Plan(Images, height, width, "b", training: true);
        using var pixels = network.Plan(Images, height, width, "b", training: true, pixels: true);
        Fill(network, numbers, pixels);
        var expected = Step(network, numbers);
        var seen = new Names();
        device.Observer = seen;
        var found = Step(network, pixels);
        Assert.That(seen.All, Has.Exactly(1).EqualTo("pixels.numbers"));
        for (int i = 0; i < expected.Count; i++)
            Assert.That(found[i], Is.EqualTo(expected[i]).AsCollection, $"result {i}");
        Assert.That(pixels.FirstNonFinite(), Is.Null);
    }

    /// <summary>On tensor cores the first layer reads pixels, with its pooling, or with one to come, forth and back.</summary>
    [TestCase(Precision.Bf16, false, "convolution.forward-windowed-pixels")]
    [TestCase(Precision.Tf32, false, "convolution.forward-windowed-pixels")]
    [TestCase(Precision.Bf16, true, "convolution.forward-pixels, convolution.backward-weights-pixels")]
    [TestCase(Precision.Tf32, true, "convolution.forward-pixels, convolution.backward-weights-pixels")]
    public void TensorCores_ReadPixels_ToTheSameBits(Precision precision, bool training, string operations)
    {
        using var launcher = new PtxLauncher();
        using var device = Device.Simulation(precision, launcher);
        using var network = Network.Create(device, new NetworkSettings { Pooling = PoolingKind.Average, Preprocessing = Preprocessing.ImageNet }, 3, Tiny);
        const int height = 9, width = 11;
        using var numbers = network.Plan(Images, height, width, training: training);
        using var pixels = network.Plan(Images, height, width, training: training, pixels: true);
        Fill(network, numbers, pixels);
        var expected = training ? Step(network, numbers) : [device.Download(numbers.Forward(Images))];
        var seen = new Names();
        device.Observer = seen;
        var found = training ? Step(network, pixels) : [device.Download(pixels.Forward(Images))];
        Assert.That(string.Join(", ", seen.All.Where(n => n.Contains("pixels", StringComparison.Ordinal))), Is.EqualTo(operations));
        for (int i = 0; i < expected.Count; i++)
            Assert.That(found[i], Is.EqualTo(expected[i]).AsCollection, $"result {i}");
        Assert.That(expected[^1].Any(x => x != 0));
        Assert.That(pixels.Bytes, Is.LessThan(numbers.Bytes));
    }

    private static readonly Backbone Tiny = new(
        "tiny", (device, _) => [new ConvolutionLayer(device, "a", 3, 8, 3, padding: 1), new MaxPoolingLayer("half", 2, 2), new ConvolutionLayer(device, "b", 8, 8, 3)], CeilPooling: false,
        Preprocessing.ImageNet);

    [Test]
    public void AMirroredImage_IsThatOfItsNumbers()
    {
        using var network = Network.Create(Devices.Cpu, NetworkSettings.For("city") with { Pooling = PoolingKind.Max }, 3);
        using var numbers = network.Plan(1, Height, Width);
        using var pixels = network.Plan(1, Height, Width, pixels: true);
        var image = Picture(1, Height, Width);
        var input = new float[numbers.InputLength];
        network.Settings.Preprocessing.Apply(image, input, flip: true);
        Devices.Cpu.Upload(input, numbers.Input);
        image.CopyTo(HostMemory.Span(pixels.Input), flip: true);
        float[] mirrored = Devices.Cpu.Download(pixels.Forward(1));
        Assert.That(mirrored, Is.EqualTo(Devices.Cpu.Download(numbers.Forward(1))).AsCollection);
        image.CopyTo(HostMemory.Span(pixels.Input));
        Assert.That(Devices.Cpu.Download(pixels.Forward(1)), Is.Not.EqualTo(mirrored).AsCollection);
    }

    private static void Fill(Network network, NetworkPlan numbers, NetworkPlan pixels)
    {
        var (height, width, _) = numbers.InputShape;
        for (int i = 0; i < Images; i++)
        {
            var image = Picture(i, height, width);
            network.Settings.Preprocessing.Apply(image, HostMemory.Span(numbers.Input)[(i * numbers.InputLength)..]);
            image.CopyTo(HostMemory.Span(pixels.Input).Slice(i * pixels.InputLength, pixels.InputLength));
        }
    }

    private static PixelImage Picture(int seed, int height, int width)
    {
        var rgb = new byte[height * width * 3];
        new Random(seed).NextBytes(rgb);
        return new(height, width, rgb);
    }

    /// <summary>The descriptors, then every gradient.</summary>
    private static List<float[]> Step(Network network, NetworkPlan plan)
    {
        var results = new List<float[]> { network.Device.Download(plan.Forward(Images)) };
        using var dy = network.Device.Allocate(TinyTrunk.Numbers(new Random(4), Images * network.PooledLength));
        plan.Backward(Images, dy);
        results.AddRange(plan.Trained.Select(p => p.ReadGradient()));
        return results;
    }

    private sealed class Names : IOperationObserver
    {
        public List<string> All { get; } = [];

        public void Ran(Operation operation, Variant variant, object problem, bool preparation, TimeSpan time)
        {
            if (!preparation)
                All.Add(operation.Name);
        }
    }
}
