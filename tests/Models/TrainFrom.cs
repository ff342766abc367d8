using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.Models;

/// <summary>Training a part of the layers: what comes before is left alone and costs nothing; what comes after learns the same.</summary>
[TestFixture]
public sealed class TrainFrom
{
    private const int Images = 2;

    private static Dictionary<string, float[]> Gradients(Network network, string? from)
    {
        using var plan = network.Plan(Images, TinyTrunk.Height, TinyTrunk.Width, from, training: true);
        Devices.Cpu.Upload(TinyTrunk.Images(Images), plan.Input);
        plan.Forward(Images);
        using var dy = Devices.Cpu.Allocate(TinyTrunk.Numbers(new Random(9), Images * network.PooledLength));
        plan.Backward(Images, dy);
        return plan.Trained.ToDictionary(p => p.Name, p => p.ReadGradient());
    }

    [TestCase("conv2_1", "b.weight")]
    [TestCase("conv2", "b.weight")] // a block
    [TestCase("c", "c.squeeze.weight")]
    [TestCase("fire", "c.squeeze.weight")]
    [TestCase("d", "d.weight")]
    [TestCase("pool", "pool.conv.weight")]
    [TestCase(null, "a.weight")]
    public void LaterLayers_GetTheSameBits_EarlierOnesGetNothing(string? from, string first)
    {
        using var whole = TinyTrunk.Network(Devices.Cpu, PoolingKind.NetVladV2);
        var expected = Gradients(whole, null);
        using var part = TinyTrunk.Network(Devices.Cpu, PoolingKind.NetVladV2);
        var before = part.Parameters.ToDictionary(p => p.Name, p => p.Read());
        var actual = Gradients(part, from);
        Assert.That(actual.Keys.First(), Is.EqualTo(first));
        foreach (var (name, gradient) in actual)
            Assert.That(gradient, Is.EqualTo(expected[name]).AsCollection, name);
        foreach (var p in part.Parameters)
        {
            Assert.That(p.Read(), Is.EqualTo(before[p.Name]).AsCollection, p.Name);
            Assert.That(p.IsTrained, Is.EqualTo(actual.ContainsKey(p.Name)), p.Name);
        }
    }

    [Test]
    public void FewerTrainedLayers_TakeLessMemory()
    {
        // Each thread has room of its own to work in; of many it would be more than the maps.
        using var device = Device.Cpu(threads: 2);
        using var network = Network.Create(device, NetworkSettings.For("vgg16") with { Clusters = 8 }, 1);
        long inference = network.PlanBytes(4, 96, 128), pool = network.PlanBytes(4, 96, 128, "pool", training: true),
            conv5 = network.PlanBytes(4, 96, 128, "conv5_1", training: true), all = network.PlanBytes(4, 96, 128, null, training: true);
        Assert.That(pool, Is.LessThan(conv5));
        Assert.That(conv5, Is.LessThan(all / 2));
        // Two maps in turn, conv4_1's and conv4_2's, the transformed weights of all layers, 36/9 times theirs, what each thread transforms and multiplies of its
        // block, and little besides.
        long maps = 2L * 4 * 12 * 16 * 512, weights = 4 * network.Parameters.Where(p => p.FanIn > 0).Sum(p => p.Length), blocks = device.Threads * 36L * 48 * (512 + 64);
        Assert.That(inference, Is.LessThan(1.1 * sizeof(float) * (maps + weights + blocks)));
    }

    [TestCase("conv9")]
    [TestCase("half")]
    public void OtherNames_AreRefused(string name)
    {
        using var network = TinyTrunk.Network(Devices.Cpu, PoolingKind.NetVlad);
        string message = Assert.Throws<UserErrorException>(() => network.Plan(1, TinyTrunk.Height, TinyTrunk.Width, name, training: true))!.Message;
        Assert.That(message, Does.Contain(name).And.Contain("conv2_1").And.Contain("pool"));
        Assert.Throws<InvalidOperationException>(() =>
        {
            using var plan = network.Plan(1, TinyTrunk.Height, TinyTrunk.Width);
            plan.Backward(0, default);
        });
    }

    [Test]
    public void PoolingWithoutParameters_CannotBeTrainedAlone()
    {
        using var network = TinyTrunk.Network(Devices.Cpu, PoolingKind.Max);
        Assert.That(
            Assert.Throws<UserErrorException>(() => network.PlanBytes(1, TinyTrunk.Height, TinyTrunk.Width, "pool", training: true))!.Message,
            Does.StartWith("There is nothing to learn in layer pool"));
    }
}
