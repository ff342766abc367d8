using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Layers;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Tests.Data;

namespace IlgpuNetVlad.Tests.Models;

/// <summary>Weights of which a plan without a way back made others are given back where a file holds them; whoever asks for them has them again.</summary>
[TestFixture]
public sealed class ReleasedWeights
{
    private const int Height = 30, Width = 36;

    private TemporaryFolder folder = null!;

    private string Path => folder["w"];

    [SetUp]
    public void MakeFolder()
    {
        folder = new();
        using var network = Network.Create(Devices.Cpu, new NetworkSettings { Backbone = "city", Pooling = PoolingKind.Average }, 4);
        network.Save(Path);
    }

    [TearDown]
    public void RemoveFolder() => folder.Dispose();

    [Test]
    public void AfterPreparing_WeightsAreGone_AndComeBackBitForBit()
    {
        using var device = Device.Cpu(2);
        using var network = Network.Load(device, Path);
        using var kept = Network.Create(device, network.Settings, 4);
        long weights = network.Parameters.Where(p => p.FanIn > 0).Sum(p => 4 * p.Length), before = device.AllocatedBytes;
        using var plan = network.Plan(1, Height, Width);
        Assert.That(device.AllocatedBytes - before, Is.EqualTo(plan.Bytes - weights));
        using var other = kept.Plan(1, Height, Width);
        Assert.That(device.AllocatedBytes - before, Is.EqualTo(2 * plan.Bytes - weights), "weights that no file holds stay");
        float[] expected = Describe(device, other);
        Assert.That(Describe(device, plan), Is.EqualTo(expected).AsCollection);
        foreach (var (a, b) in network.Parameters.Zip(kept.Parameters))
            Assert.That(a.Read(), Is.EqualTo(b.Read()).AsCollection, a.Name);
        Assert.That(device.AllocatedBytes - before, Is.EqualTo(2 * plan.Bytes));
        Assert.That(Describe(device, plan), Is.EqualTo(expected).AsCollection);
    }

    [Test]
    public void TrainingAfterwards_LearnsFromTheSameWeights()
    {
        using var network = Network.Load(Devices.Cpu, Path);
        using var kept = Network.Create(Devices.Cpu, network.Settings, 4);
        using (var plan = network.Plan(1, Height, Width))
            Describe(Devices.Cpu, plan);
        var results = new List<float[]>();
        using var one = Devices.Cpu.Allocate([1f]);
        foreach (var each in new[] { network, kept })
        {
            using var training = each.Plan(1, Height, Width, "conv2", training: true);
            using var dy = Devices.Cpu.Allocate(TinyTrunk.Numbers(new Random(6), each.PooledLength));
            Describe(Devices.Cpu, training);
            training.Backward(1, dy);
            foreach (var p in training.Trained)
                p.Descend(0.1f, 0.9f, 1e-3f, one);
            using var after = each.Plan(1, Height, Width);
            results.Add([.. Describe(Devices.Cpu, after), .. each.Parameters.SelectMany(p => p.Read())]);
        }
        Assert.That(results[0], Is.EqualTo(results[1]).AsCollection);
    }

    [Test]
    public void AFileThatChangedMeanwhile_IsNamed([Values] bool gone)
    {
        using var network = Network.Load(Devices.Cpu, Path);
        using var plan = network.Plan(1, Height, Width);
        float[] expected = Describe(Devices.Cpu, plan);
        if (gone)
            File.Delete(Path);
        else
            File.SetLastWriteTimeUtc(Path, File.GetLastWriteTimeUtc(Path).AddSeconds(2));
        Assert.That(Describe(Devices.Cpu, plan), Is.EqualTo(expected).AsCollection, "what was made of them stays");
        var weight = network.Parameters.First(p => p.FanIn > 0);
        Assert.That(Assert.Throws<UserErrorException>(() => weight.Read())!.Message, Does.Contain(Path).And.Contain(weight.Name).And.EndWith("."));
        weight.Write(new float[weight.Length]);
        Assert.That(weight.Read(), Has.All.Zero, "new ones need no file");
        Describe(Devices.Cpu, plan);
    }

    /// <summary>As caches of downloaded files keep them.</summary>
    [Test]
    public void AFileBehindALink_IsReadAgain_AndAnotherInItsPlaceIsNamed()
    {
        string link = folder["link"];
        File.CreateSymbolicLink(link, Path);
        using var network = Network.Load(Devices.Cpu, link);
        using var kept = Network.Create(Devices.Cpu, network.Settings, 4);
        using var plan = network.Plan(1, Height, Width);
        Describe(Devices.Cpu, plan);
        var weight = network.Parameters.First(p => p.FanIn > 0);
        Assert.That(weight.Read(), Is.EqualTo(kept.Parameters.First(p => p.FanIn > 0).Read()).AsCollection);
        using var again = network.Plan(1, Height, Width);
        Describe(Devices.Cpu, again);
        File.SetLastWriteTimeUtc(Path, File.GetLastWriteTimeUtc(Path).AddSeconds(2));
        Assert.That(Assert.Throws<UserErrorException>(() => weight.Read())!.Message, Does.StartWith($"{link} has changed"));
        File.Delete(Path);
        Assert.That(Assert.Throws<UserErrorException>(() => weight.Read())!.Message, Does.StartWith($"{link} has changed"), "a link that leads nowhere");
    }

    /// <summary>A network may be saved over the file that it came from, and stays what it was.</summary>
    [Test]
    public void SavedOverItsOwnFile_ItStillHasItsWeights()
    {
        using var network = Network.Load(Devices.Cpu, Path);
        using (var plan = network.Plan(1, Height, Width))
            Describe(Devices.Cpu, plan);
        byte[] before = File.ReadAllBytes(Path);
        network.Save(Path);
        Assert.That(File.ReadAllBytes(Path), Is.EqualTo(before).AsCollection);
        File.SetLastWriteTimeUtc(Path, File.GetLastWriteTimeUtc(Path).AddSeconds(2));
        using var again = network.Plan(1, Height, Width);
        Describe(Devices.Cpu, again);
        network.Save(Path);
        Assert.That(File.ReadAllBytes(Path), Is.EqualTo(before).AsCollection);
    }

    private static float[] Describe(Device device, NetworkPlan plan)
    {
        device.Upload(TinyTrunk.Numbers(new Random(2), (int)plan.Input.Length), plan.Input);
        return device.Download(plan.Forward(1));
    }
}
