using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Engine.Weights;
using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Tests.Data;

namespace IlgpuNetVlad.Tests.Models;

[TestFixture]
public sealed class NetworkFiles
{
    private TemporaryFolder folder = null!;

    [SetUp]
    public void MakeFolder() => folder = new();

    [TearDown]
    public void RemoveFolder() => folder.Dispose();

    private static float[] Describe(Network network)
    {
        using var plan = network.Plan(2, TinyTrunk.Height, TinyTrunk.Width);
        Devices.Cpu.Upload(TinyTrunk.Images(2), plan.Input);
        return Devices.Cpu.Download(plan.Forward(2));
    }

    [Test]
    public void ANetwork_ComesBack_BitForBit([Values] PoolingKind pooling)
    {
        using var network = TinyTrunk.Network(Devices.Cpu, pooling);
        network.Pca = new(network.PooledLength, 2, TinyTrunk.Numbers(new Random(1), 2 * network.PooledLength), [0.5f, -1], [3, 2]);
        network.Save(folder["w"]);
        using var read = Network.Load(Devices.Cpu, folder["w"], backbone: TinyTrunk.Backbone);
        Assert.That(read.Settings, Is.EqualTo(network.Settings));
        Assert.That(Describe(read), Is.EqualTo(Describe(network)).AsCollection);
        Assert.That(read.DescriptorLength, Is.EqualTo(2));
        Assert.That(read.Pca!.Weight, Is.EqualTo(network.Pca.Weight));
        Assert.That(read.Pca.Bias, Is.EqualTo(network.Pca.Bias));
        Assert.That(read.Pca.Eigenvalues, Is.EqualTo(network.Pca.Eigenvalues));
        read.Save(folder["again"]);
        Assert.That(File.ReadAllBytes(folder["again"]), Is.EqualTo(File.ReadAllBytes(folder["w"])));
    }

    /// <summary>The files of others keep the map alone.</summary>
    [Test]
    public void APcaWithoutEigenvalues_ComesBack_AndIsCut()
    {
        using var network = TinyTrunk.Network(Devices.Cpu, PoolingKind.Max);
        network.Pca = new(network.PooledLength, 2, TinyTrunk.Numbers(new Random(1), 2 * network.PooledLength), [0.5f, -1]);
        network.Save(folder["w"]);
        Assert.That(SafetensorsFile.Read(folder["w"]).Find("pca.eigenvalues"), Is.Null);
        using var read = Network.Load(Devices.Cpu, folder["w"], backbone: TinyTrunk.Backbone);
        Assert.That((read.Pca!.Weight, read.Pca.Eigenvalues), Is.EqualTo((network.Pca.Weight, Array.Empty<float>())));
        var cut = read.Pca.Cut(1);
        Assert.That((cut.Weight, cut.Bias, cut.Eigenvalues), Is.EqualTo((network.Pca.Weight[..network.PooledLength], new[] { 0.5f }, Array.Empty<float>())));
    }

    [Test]
    public void EverySetting_ComesBack()
    {
        var settings = new NetworkSettings
        {
            Backbone = "alexnet-caffe", Pooling = PoolingKind.NetVladV2, Clusters = 3, KeepRelu = true, SoftFloor = true, CeilPooling = false, ResponseOffset = 2,
            Preprocessing = new([1.5f, 0.1f, -3], [1 / 3f, 1e-9f, 7]), Resize = ResizePolicy.ShorterSide(480),
        };
        using (var network = Network.Create(Devices.Cpu, settings, 1))
        {
            network.SetClusters(TinyTrunk.Numbers(new Random(1), 3 * 256), 1);
            network.Save(folder["w"]);
        }
        using var read = Network.Load(Devices.Cpu, folder["w"]);
        Assert.That(read.Settings, Is.EqualTo(settings));
        var metadata = SafetensorsFile.Read(folder["w"]).Metadata;
        Assert.That(metadata["pooling"], Is.EqualTo("netvlad-v2"));
        Assert.That(metadata["floor"], Is.EqualTo("soft"));
        Assert.That(metadata["pool_rounding"], Is.EqualTo("floor"));
        Assert.That(metadata["resize"], Is.EqualTo("shorter:480"));
    }

    [Test]
    public void ClustersThatAreNotThere_AreNotInvented()
    {
        using var network = Network.Create(Devices.Cpu, new NetworkSettings { Clusters = 7 }, 1);
        Assert.That(network.ClustersInitialised, Is.False);
        network.Save(folder["w"]);
        using var read = Network.Load(Devices.Cpu, folder["w"]);
        Assert.That(read.ClustersInitialised, Is.False);
        Assert.That(read.Settings.Clusters, Is.EqualTo(7));
        using var plan = read.Plan(1, 96, 128);
        Assert.That(Assert.Throws<Engine.UserErrorException>(() => plan.Forward(1))!.Message, Does.Contain("no clusters yet"));
        plan.ForwardTrunk(1);
        read.SetClusters(TinyTrunk.Numbers(new Random(1), 7 * 64), 5);
        plan.Forward(1);
    }

    [Test]
    public void AnotherPooling_TakesTheTrunkAlone()
    {
        using var network = TinyTrunk.Network(Devices.Cpu, PoolingKind.NetVlad);
        network.Pca = new(network.PooledLength, 1, new float[network.PooledLength], [0], [1]);
        network.Save(folder["w"]);
        using var max = Network.Load(Devices.Cpu, folder["w"], network.Settings with { Pooling = PoolingKind.Max }, TinyTrunk.Backbone);
        Assert.That((max.PooledLength, max.Pca), Is.EqualTo((10, (Projection?)null)));
        using var other = Network.Load(Devices.Cpu, folder["w"], network.Settings with { Pooling = PoolingKind.NetVladV2, Clusters = 9 }, TinyTrunk.Backbone);
        Assert.That((other.PooledLength, other.ClustersInitialised), Is.EqualTo((90, false)));
        Assert.That(other.TrunkParameters.First().Read(), Is.EqualTo(network.TrunkParameters.First().Read()));
    }

    [Test]
    public void LoadTrunk_LeavesPoolingAlone()
    {
        using var from = TinyTrunk.Network(Devices.Cpu, PoolingKind.Max);
        from.Save(folder["w"]);
        using var network = TinyTrunk.Network(Devices.Cpu, PoolingKind.NetVlad);
        foreach (var p in network.TrunkParameters)
            p.Write(new float[p.Length]);
        float[] centroids = network.Parameters[^1].Read();
        network.LoadTrunk(folder["w"]);
        Assert.That(network.TrunkParameters.Select(p => p.Read()), Is.EqualTo(from.TrunkParameters.Select(p => p.Read())));
        Assert.That(network.Parameters[^1].Read(), Is.EqualTo(centroids));
        Assert.That(network.ClustersInitialised);
    }

    /// <summary>Weights that others published: a trunk, and a trunk with clusters, both without settings.</summary>
    [Test]
    public void FilesWithoutSettings_Load()
    {
        string trunk = SharedFolder.Require("data", "weights", "squeezenet1_1_imagenet.safetensors");
        string start = SharedFolder.Require("data", "weights", "squeezenet_netvlad64_sped_start.safetensors");
        using (var network = Network.Load(Devices.Cpu, trunk, NetworkSettings.For("squeezenet")))
        {
            Assert.That(network.TrunkParameters.Sum(p => p.Length), Is.EqualTo(722_496));
            Assert.That(network.ClustersInitialised, Is.False);
        }
        using var initialised = Network.Load(Devices.Cpu, start, NetworkSettings.For("squeezenet") with { Clusters = 5 });
        Assert.That((initialised.Settings.Clusters, initialised.PooledLength, initialised.ClustersInitialised), Is.EqualTo((64, 64 * 512, true)), "64 are in the file");
        Assert.That(Assert.Throws<Engine.UserErrorException>(() => Network.Load(Devices.Cpu, start))!.Message, Does.Contain("does not say of which network"));
    }

    /// <summary>The same numbers on every machine, so that a run can be repeated anywhere.</summary>
    [Test]
    public void RandomWeights_AreTheSeeds()
    {
        using var a = Network.Create(Devices.Cpu, new NetworkSettings(), 1);
        using var b = Network.Create(Devices.Cpu, new NetworkSettings(), 1);
        using var c = Network.Create(Devices.Cpu, new NetworkSettings(), 2);
        float[] w = a.Parameters[0].Read();
        Assert.That(b.Parameters[0].Read(), Is.EqualTo(w));
        Assert.That(c.Parameters[0].Read(), Is.Not.EqualTo(w));
        Assert.That(a.Parameters[1].Read(), Is.All.Zero);
        float[] deep = a.Parameters[4].Read();
        foreach (float[] filter in deep.Chunk(a.Parameters[4].FanIn))
            Assert.That(filter.Average(x => (double)x), Is.Zero.Within(1e-7), "maps are positive: a filter's mean would drown all else");
        Assert.That(deep.Average(x => (double)x * x), Is.EqualTo(2.0 / a.Parameters[4].FanIn).Within(5).Percent);
    }
}
