using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Layers;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.Models;

/// <summary>Plans whose large maps between convolutions stand in memory by some rows alone: nothing of it shows in a number.</summary>
[TestFixture]
public sealed class BandedPlans
{
    // conv1_1's map has 5.6 million numbers, and its rows, 430, fill neither tiles nor bands.
    private const int Height = 430, Width = 205, Images = 2;

    [Test]
    public void Descriptors_AreThoseOfWholeMaps_BitForBit([Values(1, 2)] int threads, [Values] bool pixels)
    {
        using var device = Device.Cpu(threads);
        using var network = Vgg(device);
        using var banded = network.Plan(Images, Height, Width, pixels: pixels);
        using var whole = network.Plan(1, Height, Width, training: true, pixels: pixels);
        Fill(banded);
        var seen = new Names();
        device.Observer = seen;
        float[] found = device.Download(banded.Forward(Images));
        device.Observer = null;
        Assert.That(seen.All.Count(n => n == "convolution.forward-band"), Is.GreaterThan(2 * Images * 2), "some bands of two layers");
        for (int image = 0; image < Images; image++)
        {
            device.Copy(banded.Input.SubView(image * banded.InputLength, banded.InputLength), whole.Input);
            Assert.That(device.Download(whole.Forward(1)), Is.EqualTo(found[(image * network.PooledLength)..((image + 1) * network.PooledLength)]).AsCollection, $"image {image}");
        }
    }

    [Test]
    public void MapsBetween_TakeNoMemoryOfTheirOwn()
    {
        using var network = Vgg(Devices.Cpu);
        long map = 64L * Height * Width, banded = PlanLayout.Of(network, PlanPart.Whole, 4, Height, Width, 0, training: false).Block;
        // Of four images the pooled maps, a quarter of conv1_1's, and conv2_1's behind them.
        Assert.That(banded, Is.LessThan(4 * map));
        var layout = PlanLayout.Of(network, PlanPart.Whole, 1, 480, 640, 0, training: false, pixels: true);
        Assert.That(layout.Banded.Select(b => (b.First, b.End)), Is.EqualTo(new[] { (0, 2), (2, 4) }), "conv1_1 and conv1_2, conv2_1 and conv2_2, with their pooling");
        Assert.That(PlanLayout.Of(network, PlanPart.Whole, 1, 240, 320, 0, training: false).Banded, Has.Count.EqualTo(0), "small maps stay whole");
        Assert.That(PlanLayout.Of(network, PlanPart.Whole, 1, 480, 640, 0, training: true).Banded, Has.Count.EqualTo(0), "the way back reads them");
    }

    /// <summary>Whatever the sizes and threads: each row is computed once, what a step reads was written by steps that are over before it begins, and nobody writes over it before it is read.</summary>
    [Test]
    public void Bands_ReadWhatStands([Values(480, 483, 517)] int height, [Values(640, 333)] int width, [Values(1, 2, 12)] int threads)
    {
        using var device = Device.Cpu(threads);
        using var network = Vgg(device);
        foreach (var banded in PlanLayout.Of(network, PlanPart.Whole, 1, height, width, 0, training: false).Banded)
        {
            var steps = banded.Steps;
            var next = new int[banded.End];
            foreach (var (layer, band, _) in steps)
            {
                Assert.That(band.Wrong(), Is.Null);
                Assert.That(band.First, Is.EqualTo(next[layer]));
                next[layer] = band.First + band.Rows;
            }
            for (int layer = banded.First; layer < banded.End; layer++)
                Assert.That(steps.Where(s => s.Layer == layer).Sum(s => s.Band.YEnd - s.Band.YFirst), Is.EqualTo(steps.Last(s => s.Layer == layer).Band.MapRows));
            for (int reader = 0; reader < steps.Count; reader++)
            {
                var (layer, band, after) = steps[reader];
                // With many threads all of a map is one band.
                if (steps.Count > banded.End - banded.First)
                    Assert.That(after, Is.LessThan(Math.Max(reader, 1)), "its neighbour goes on beside it");
                for (int writer = 0; writer < steps.Count; writer++)
                {
                    var (other, written, begins) = steps[writer];
                    if (other != layer - 1)
                        continue;
                    if (written.YFirst < band.XEnd && written.YEnd > band.XFirst)
                        Assert.That(writer, Is.LessThan(after), $"step {reader} reads what step {writer} writes");
                    else if (written.YFirst >= band.XEnd && written.YEnd - band.XRing > band.XFirst)
                        Assert.That(begins, Is.GreaterThan(reader), $"step {writer} writes over what step {reader} reads");
                }
            }
        }
    }

    [Test]
    public void NotANumber_IsTracedThroughBands()
    {
        using var network = Vgg(Devices.Cpu);
        using var plan = network.Plan(1, Height, Width);
        Fill(plan);
        plan.Forward(1);
        Assert.That(plan.FirstNonFinite(), Is.Null);
        var bias = network.Parameters.Single(p => p.Name == "features.2.bias");
        bias.Write([.. bias.Read().Select((x, i) => i == 5 ? float.MaxValue : x)]);
        var weight = network.Parameters.Single(p => p.Name == "features.2.weight");
        weight.Write([.. weight.Read().Select(_ => 1e38f)]);
        plan.Forward(1);
        Assert.That(plan.FirstNonFinite(), Is.EqualTo("the result of features.2 (conv1_2)"));
    }

    /// <summary>VGG-16's first layers.</summary>
    private static readonly Backbone Trunk = new(
        "tiny",
        (device, _) =>
        [
            new ConvolutionLayer(device, "features.0", 3, 64, 3, padding: 1, alias: "conv1_1"), new ConvolutionLayer(device, "features.2", 64, 64, 3, padding: 1, alias: "conv1_2"),
            new MaxPoolingLayer("pool1", 2, 2),
            new ConvolutionLayer(device, "features.5", 64, 128, 3, padding: 1, alias: "conv2_1"), new ConvolutionLayer(device, "features.7", 128, 128, 3, padding: 1, alias: "conv2_2"),
            new MaxPoolingLayer("pool2", 2, 2),
            new ConvolutionLayer(device, "features.10", 128, 32, 3, padding: 1, alias: "conv3_1"),
        ],
        CeilPooling: false,
        Preprocessing.ImageNet);

    private static Network Vgg(Device device) => Network.Create(device, new NetworkSettings { Pooling = PoolingKind.Average, Preprocessing = Preprocessing.ImageNet }, 3, Trunk);

    private static void Fill(NetworkPlan plan)
    {
        if (plan.Input.Length < plan.MaxImages * plan.InputShape.Length)
            new Random(5).NextBytes(System.Runtime.InteropServices.MemoryMarshal.AsBytes(HostMemory.Span(plan.Input)));
        else
            TinyTrunk.Numbers(new Random(5), (int)plan.Input.Length, 2).CopyTo(HostMemory.Span(plan.Input));
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
