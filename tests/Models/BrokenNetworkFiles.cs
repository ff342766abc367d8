using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Weights;
using IlgpuNetVlad.Tests.Data;

namespace IlgpuNetVlad.Tests.Models;

/// <summary>Files that are whole but not of this network: one sentence each, naming the file and the tensor or setting.</summary>
[TestFixture]
public sealed class BrokenNetworkFiles
{
    private TemporaryFolder folder = null!;
    private List<SafetensorsTensor> tensors = null!;
    private Dictionary<string, string> metadata = null!;

    [SetUp]
    public void MakeFile()
    {
        folder = new();
        using var network = TinyTrunk.Network(Devices.Cpu, PoolingKind.NetVladV2);
        network.Pca = new(network.PooledLength, 2, new float[2 * network.PooledLength], [0, 0], [2, 1]);
        network.Save(folder["good"]);
        var file = SafetensorsFile.Read(folder["good"]);
        tensors = [.. file.Tensors];
        metadata = new(file.Metadata);
    }

    [TearDown]
    public void RemoveFolder() => folder.Dispose();

    private void Refused(params string[] says)
    {
        SafetensorsFile.Write(folder["bad"], tensors, metadata);
        long before = Devices.Cpu.AllocatedBytes;
        string message = Assert.Throws<UserErrorException>(() => Network.Load(Devices.Cpu, folder["bad"], backbone: TinyTrunk.Backbone))!.Message;
        Assert.That(message, Does.Contain(folder["bad"]).And.EndsWith(".").And.Not.Contains("\n"));
        foreach (string part in says)
            Assert.That(message, Does.Contain(part));
        Assert.That(Devices.Cpu.AllocatedBytes, Is.EqualTo(before), "memory is given back");
    }

    private void Replace(string name, Func<SafetensorsTensor, SafetensorsTensor> change)
    {
        int i = tensors.FindIndex(t => t.Name == name);
        tensors[i] = change(tensors[i]);
    }

    [TestCase("a.weight")]
    [TestCase("c.expand3x3.bias")]
    [TestCase("pool.conv.weight")]
    [TestCase("pool.conv.bias")]
    [TestCase("pool.centroids")]
    [TestCase("pca.weight")]
    [TestCase("pca.bias")]
    public void MissingTensor(string name)
    {
        tensors.RemoveAll(t => t.Name == name);
        Refused($"lacks {name}");
    }

    [TestCase("a.weight")]
    [TestCase("pool.conv.weight")]
    [TestCase("pool.conv.bias")]
    [TestCase("pca.weight")]
    [TestCase("pca.bias")]
    [TestCase("pca.eigenvalues")]
    public void WrongShape(string name)
    {
        Replace(name, t => new(t.Name, [t.Values.Length + 1, 1, 2], new float[2 * (t.Values.Length + 1)]));
        Refused(name, "of shape", "must be");
    }

    [Test]
    public void CentroidsWithoutShape()
    {
        Replace("pool.centroids", t => new(t.Name, [], [1f]));
        Refused("pool.centroids", "[K, D]");
    }

    [Test]
    public void WholeNumbers()
    {
        Replace("a.weight", t => new(t.Name, t.Shape, new long[t.Values.Length]));
        Refused("a.weight", "I64");
    }

    [TestCase("a.weight", float.NaN)]
    [TestCase("pool.centroids", float.PositiveInfinity)]
    [TestCase("pca.weight", float.NegativeInfinity)]
    public void NotFinite(string name, float value)
    {
        Replace(name, t => new(t.Name, t.Shape, [.. t.Values.Select((x, i) => i == 3 ? value : x)]));
        Refused(name, "NaN or infinity");
    }

    [TestCase("pooling", "gem")]
    [TestCase("clusters", "many")]
    [TestCase("clusters", "99999999999")]
    [TestCase("keep_relu", "maybe")]
    [TestCase("floor", "hard")]
    [TestCase("pool_rounding", "")]
    [TestCase("response_offset", "NaN")]
    [TestCase("mean", "1,2")]
    [TestCase("scale", "1,2,x")]
    [TestCase("resize", "huge")]
    public void OddSetting(string key, string value)
    {
        metadata[key] = value;
        Refused(key, $"'{value}'");
    }

    [Test]
    public void MissingSetting([Values("clusters", "keep_relu", "floor", "pool_rounding", "mean", "scale", "resize", "backbone")] string key)
    {
        metadata.Remove(key);
        Refused($"lacks the setting {key}");
    }

    [Test]
    public void UnknownBackbone()
    {
        string message = Assert.Throws<UserErrorException>(() => Network.Load(Devices.Cpu, folder["good"]))!.Message;
        Assert.That(message, Does.Contain(folder["good"]).And.Contain("backbone tiny").And.Contain("vgg16").And.EndsWith("."));
    }

    [Test]
    public void ClustersOfTheOtherVersion()
    {
        metadata.Clear();
        SafetensorsFile.Write(folder["bad"], tensors);
        string message = Assert.Throws<UserErrorException>(
            () => Network.Load(Devices.Cpu, folder["bad"], new NetworkSettings { Pooling = PoolingKind.NetVlad }, TinyTrunk.Backbone))!.Message;
        Assert.That(message, Does.Contain("pool.conv.bias").And.Contain("netvlad-v2"));
    }

    [Test]
    public void AFailedLoad_LeavesTheNetworkAsItWas()
    {
        using var network = TinyTrunk.Network(Devices.Cpu, PoolingKind.Max);
        var before = network.Parameters.Select(p => p.Read()).ToList();
        Replace("d.weight", t => new(t.Name, [1], [1f]));
        SafetensorsFile.Write(folder["bad"], [.. tensors.Select(t => t.Name == "a.weight" ? t with { Values = new float[t.Values.Length] } : t)], metadata);
        Assert.Throws<UserErrorException>(() => network.LoadTrunk(folder["bad"]));
        Assert.That(network.Parameters.Select(p => p.Read()), Is.EqualTo(before));
    }
}
