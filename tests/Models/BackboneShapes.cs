using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Layers;
using IlgpuNetVlad.Engine.Models;

namespace IlgpuNetVlad.Tests.Models;

/// <summary>The shape of every map, against sizes worked out by hand from the published descriptions.</summary>
[TestFixture]
public sealed class BackboneShapes
{
    private static NetworkSettings Settings(string backbone, bool? ceil = null, bool keepRelu = false)
        => NetworkSettings.For(backbone) with { Pooling = PoolingKind.Average, CeilPooling = ceil, KeepRelu = keepRelu };

    private static MapShape MapAfter(Network network, string layer, int height, int width)
    {
        var shape = new MapShape(height, width, 3);
        foreach (var l in network.Layers)
        {
            shape = l.Output(shape);
            if (l.Name == layer || l.Alias == layer)
                return shape;
        }
        throw new ArgumentException(layer);
    }

    [TestCase("alexnet-caffe", null, "pool1", 59, 79, 96)] // published figures for 640×480
    [TestCase("alexnet-caffe", false, "pool1", 58, 78, 96)]
    [TestCase("alexnet-caffe", null, "conv5", 29, 39, 256)]
    [TestCase("alexnet", null, "conv5", 29, 39, 256)]
    [TestCase("vgg16", null, "conv5_3", 30, 40, 512)]
    [TestCase("squeezenet", null, "fire9", 29, 39, 512)]
    [TestCase("city", null, "conv4", 60, 80, 64)]
    public void MapsOf480By640(string backbone, bool? ceil, string layer, int height, int width, int channels)
    {
        using var network = Network.Create(Devices.Cpu, Settings(backbone, ceil), 1);
        Assert.That(MapAfter(network, layer, 480, 640), Is.EqualTo(new MapShape(height, width, channels)));
    }

    [TestCase("vgg16", 196)]
    [TestCase("alexnet", 163)]
    [TestCase("alexnet-caffe", 163)]
    [TestCase("squeezenet", 207)]
    [TestCase("city", 51)]
    public void ALocalDescriptorSeesSoManyPixels(string backbone, int pixels)
    {
        using var network = Network.Create(Devices.Cpu, Settings(backbone), 1);
        Assert.That(network.ReceptiveField, Is.EqualTo(pixels));
    }

    /// <summary>Smaller images than these have no map left; their refusal names the layer.</summary>
    [Test]
    public void ImagesTooSmall_AreRefused([Values("city", "squeezenet", "vgg16", "alexnet", "alexnet-caffe")] string backbone)
    {
        using var network = Network.Create(Devices.Cpu, Settings(backbone), 1);
        string message = Assert.Throws<UserErrorException>(() => network.Plan(1, 6, 6))!.Message;
        Assert.That(message, Does.StartWith("Images are too small: ").And.EndsWith("."));
    }

    [Test]
    public void KeepRelu_KeepsTheLastConvolutionsRelu_AndNothingElseChanges(
        [Values("city", "squeezenet", "alexnet", "alexnet-caffe")] string backbone)
    {
        var maps = new List<float[]>();
        foreach (bool keep in new[] { false, true })
        {
            using var network = Network.Create(Devices.Cpu, Settings(backbone, keepRelu: keep), 7);
            using var plan = network.Plan(1, 75, 75);
            Fill(plan, 3);
            plan.ForwardTrunk(1);
            maps.Add(Devices.Cpu.Download(plan.Features(1)));
        }
        Assert.That(maps[0], Has.Some.LessThan(0f));
        Assert.That(maps[1], Is.EqualTo(maps[0].Select(x => Math.Max(x, 0f))).AsCollection);
    }

    [Test]
    public void UnknownNames_AreRefused()
    {
        Assert.That(Assert.Throws<UserErrorException>(() => Backbone.Named("resnet"))!.Message, Does.Contain("resnet").And.Contain("alexnet-caffe"));
        Assert.That(Assert.Throws<UserErrorException>(() => PoolingNames.Parse("gem"))!.Message, Does.Contain("gem").And.Contain("netvlad-v2"));
    }

    /// <summary>Fills a plan's input with numbers in ±1.</summary>
    internal static void Fill(NetworkPlan plan, int seed)
    {
        var random = new Random(seed);
        var pixels = new float[plan.Input.Length];
        for (int i = 0; i < pixels.Length; i++)
            pixels[i] = random.NextSingle() * 2 - 1;
        Devices.Cpu.Upload(pixels, plan.Input);
    }
}
