using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Weights;
using IlgpuNetVlad.Tests.Data;

namespace IlgpuNetVlad.Tests.Conversion;

/// <summary>One network in the layouts of several projects, written by other tools than ours, is one network.</summary>
[TestFixture]
public sealed class ForeignFiles
{
    private TemporaryFolder folder = null!;

    [SetUp]
    public void MakeFolder() => folder = new();

    [TearDown]
    public void RemoveFolder() => folder.Dispose();

    private string Safetensors(IEnumerable<SafetensorsTensor> tensors, Dictionary<string, string>? metadata = null)
    {
        SafetensorsFile.Write(folder["w.safetensors"], tensors, metadata);
        return folder["w.safetensors"];
    }

    private string Refused(string from, PoolingKind? pooling = null)
    {
        string message = Assert.Throws<UserErrorException>(() => SmallNetwork.Convert(from, folder["own"], pooling))!.Message;
        Assert.That(message, Does.Contain(from).And.EndsWith(".").And.Not.Contains("\n"));
        Assert.That(File.Exists(folder["own"]), Is.False);
        return message;
    }

    private static readonly NetworkSettings Theirs = new() { Pooling = PoolingKind.NetVlad, SoftFloor = true, Preprocessing = Preprocessing.Vgg };
    private static readonly NetworkSettings Ports = new() { Pooling = PoolingKind.NetVlad, Preprocessing = Preprocessing.ImageNet };

    [Test]
    public void TheAuthorsMatFile_IsTheSameNetwork()
    {
        var done = SmallNetwork.Convert(SmallNetwork.Fixture("small-struct.mat"), folder["own"]);
        Assert.That((done.Source, done.HasClusters, done.PooledLength, done.PcaLength), Is.EqualTo(("MatConvNet, as the authors of NetVLAD", true, 18, (int?)5)));
        using var expected = SmallNetwork.Make(Theirs, pca: true);
        SmallNetwork.AssertSame(folder["own"], expected);
    }

    [Test]
    public void TheirSecondVersion_HasItsBias()
    {
        SmallNetwork.Convert(SmallNetwork.Fixture("small-v2-struct.mat"), folder["own"]);
        using var expected = SmallNetwork.Make(Theirs with { Pooling = PoolingKind.NetVladV2 }, pca: false);
        SmallNetwork.AssertSame(folder["own"], expected);
    }

    /// <summary>Numbers of 64, 32 and 16 bits, two tensors in one storage, and one whose numbers lie in another order.</summary>
    [Test]
    public void APatchNetVladCheckpoint_IsTheSameNetwork()
    {
        var done = SmallNetwork.Convert(SmallNetwork.Fixture("small-patch.pth.tar"), folder["own"]);
        Assert.That((done.Source, done.PcaLength), Is.EqualTo(("PyTorch, names of Patch-NetVLAD", (int?)5)));
        using var expected = SmallNetwork.Make(Ports with { Resize = ResizePolicy.Exact(480, 640) }, pca: true);
        SmallNetwork.AssertSame(folder["own"], expected);
    }

    /// <summary>Of before PyTorch 1.6, parts wrapped by DataParallel, with an optimiser's state and NumPy's numbers beside the weights.</summary>
    [Test]
    public void AnOldCheckpoint_IsTheSameNetwork()
    {
        SmallNetwork.Convert(SmallNetwork.Fixture("small-old.pth.tar"), folder["own"]);
        using var expected = SmallNetwork.Make(Ports, pca: false);
        SmallNetwork.AssertSame(folder["own"], expected);
    }

    [Test]
    public void OurOwnFile_IsTheSameNetwork()
    {
        using var expected = SmallNetwork.Make(Theirs, pca: true);
        expected.Save(folder["own"]);
        SmallNetwork.AssertSame(folder["own"], expected);
    }

    [TestCase("encoder.", "pool.", "WPCA.0.", "Patch-NetVLAD", "480x640", false)]
    [TestCase("module.encoder.", "module.pool.", "", "pytorch-NetVlad", "native", false)]
    [TestCase("backbone.", "aggregation.", "", "the deep visual geo-localization benchmark", "480x640", false)]
    [TestCase("module.backbone.", "module.aggregation.", "", "the deep visual geo-localization benchmark", "480x640", false)]
    [TestCase("base_model.base.", "net_vlad.", "pca_layer.", "OpenIBL", "480x640", true)]
    [TestCase("module.base_model.base.", "module.net_vlad.", "", "OpenIBL", "480x640", true)]
    [TestCase("features.", "pool.", "pca.", "torchvision", "native", false)]
    public void EveryPortsNames_AreKnown(string trunk, string pool, string pca, string port, string resize, bool vgg)
    {
        var done = SmallNetwork.Convert(Safetensors([.. SmallNetwork.Tensors(trunk, pool), .. pca.Length > 0 ? SmallNetwork.PcaTensors(pca) : []]), folder["own"]);
        Assert.That((done.Source, done.Settings.Resize.ToString()), Is.EqualTo(($"safetensors, names of {port}", resize)));
        using var expected = SmallNetwork.Make(Ports with { Resize = ResizePolicy.Parse(resize), Preprocessing = vgg ? Preprocessing.Vgg : Preprocessing.ImageNet }, pca: pca.Length > 0);
        SmallNetwork.AssertSame(folder["own"], expected);
    }

    [Test]
    public void ABias_TellsTheSecondVersion()
    {
        SmallNetwork.Convert(Safetensors([.. SmallNetwork.Tensors(), new("pool.conv.bias", [3], SmallNetwork.Numbers(9, 3))]), folder["own"]);
        using var expected = SmallNetwork.Make(Ports with { Pooling = PoolingKind.NetVladV2 }, pca: false);
        SmallNetwork.AssertSame(folder["own"], expected);
    }

    /// <summary>Its clusters are sought where it is used, and what it was trained for is left out.</summary>
    [Test]
    public void ATrunkAlone_IsTaken_WithThePoolingThatIsAskedFor([Values(null, PoolingKind.Max)] PoolingKind? pooling)
    {
        var done = SmallNetwork.Convert(Safetensors([.. SmallNetwork.Tensors("features.").Take(4), new("classifier.0.weight", [2, 2], [1f, 2, 3, 4])]), folder["own"], pooling);
        Assert.That((done.HasClusters, done.LeftOut), Is.EqualTo((pooling is not null, new[] { "classifier.0.weight [2, 2]" })));
        using var read = Network.Load(Devices.Cpu, folder["own"], backbone: SmallNetwork.Trunk);
        Assert.That((read.Settings.Pooling, read.ClustersInitialised), Is.EqualTo((pooling ?? PoolingKind.NetVlad, pooling is not null)));
        Assert.That(read.Parameters[2].Read(), Is.EqualTo(SmallNetwork.Numbers(3, 216)));
    }

    [Test]
    public void OtherNetworks_AreRefusedByName()
    {
        var good = SmallNetwork.Tensors();
        Assert.That(Refused(Safetensors([.. good, new("aggregation.p", [1], [3f])])), Does.Contain("holds aggregation.p [1]"));
        Assert.That(Refused(Safetensors([.. good, new("features.7.weight", [1], [3f])])), Does.Contain("holds features.7.weight"), "a name of ours among theirs is no name of ours");
        Assert.That(Refused(Safetensors([new("layer1.0.conv1.weight", [1], [3f])])), Does.Contain("holds layer1.0.conv1.weight [1] and no tensor that begins with encoder."));
        Assert.That(Refused(Safetensors([.. good.Skip(1)])), Does.Contain("trunk of 3 tensors").And.Contain("vgg16"));
        Assert.That(Refused(Safetensors([good[0] with { Shape = [4, 3, 9, 1] }, .. good.Skip(1)])), Does.Contain("the first encoder.0.weight [4, 3, 9, 1]"));
        Assert.That(Refused(Safetensors([.. good.Where(t => t.Name != "pool.centroids")])), Does.Contain("holds pool.conv.weight"));
        Assert.That(Refused(Safetensors([.. good.Where(t => t.Name != "pool.conv.weight")])), Does.Contain("lacks pool.conv.weight"));
        Assert.That(Refused(Safetensors([.. good.Take(5), new("pool.centroids", [4, 6], new float[24])])), Does.Contain("pool.conv.weight [3, 6, 1, 1]").And.Contain("[4, 6]"));
        Assert.That(Refused(Safetensors([.. good, .. SmallNetwork.PcaTensors("WPCA.0.").Take(1)])), Does.Contain("lacks WPCA.0.bias"));
        Assert.That(Refused(Safetensors([.. good, new("WPCA.0.weight", [5, 17], new float[85]), new("WPCA.0.bias", [5], new float[5])])), Does.Contain("must be of shape [5, 18]"));
        Assert.That(Refused(Safetensors([.. good.Take(4), .. SmallNetwork.PcaTensors("WPCA.0.")])), Does.Contain("a PCA and no clusters"));
        Assert.That(Refused(Safetensors([.. good, good[0] with { Name = "module.encoder.0.weight" }])), Does.Contain("twice"));
        Assert.That(Refused(Safetensors(good), PoolingKind.Max), Does.Contain("clusters of netvlad, not max"));
        Assert.That(Refused(Safetensors([good[0] with { Values = [.. good[0].Values[..^1], float.NaN] }, .. good.Skip(1)])), Does.Contain("features.0.weight").And.Contain("NaN"));
    }

    [Test]
    public void OtherFiles_AreRefused()
    {
        Assert.That(Refused(folder["none"]), Does.Contain("no file"));
        Assert.That(Refused(folder.Path), Does.Contain("is a folder"));
        Assert.That(Refused(folder.Write("thesis.doc", "years of work")), Does.Contain("neither a MATLAB file"));
        using (var network = SmallNetwork.Make(Theirs, pca: false))
            network.Save(folder["w"]);
        Assert.That(Refused(folder["w"]), Does.Contain("this engine's already"));
        Assert.That(Refused(Safetensors([])), Does.Contain("no tensors"));
        Assert.That(Refused(folder.Write("x.mat", new Matlab.MatlabBytes().File())), Does.Contain("lacks the layers of a network"));
    }

    /// <summary>Whatever a byte is changed to, a file is read or refused in one sentence.</summary>
    [TestCase("small-old.pth.tar")]
    [TestCase("small-patch.pth.tar")]
    [TestCase("small-struct.mat")]
    [TestCase("inflated.mat")]
    public void AChangedByte_IsNoFaultOfTheProgram(string name)
    {
        byte[] whole = name == "inflated.mat" ? Inflated(File.ReadAllBytes(SmallNetwork.Fixture("small-struct.mat"))) : File.ReadAllBytes(SmallNetwork.Fixture(name));
        Assert.That(() => SmallNetwork.Convert(folder.Write(name, whole), folder["own"], null, SmallNetwork.Trunk), Throws.Nothing);
        for (int at = 0; at < whole.Length; at += 3)
            foreach (byte change in (byte[])[0xFF, 1, 0x80])
            {
                byte[] changed = [.. whole];
                changed[at] ^= change;
                string path = folder.Write(name, changed);
                try
                {
                    SmallNetwork.Convert(path, folder["own"], null, SmallNetwork.Trunk);
                }
                catch (UserErrorException e)
                {
                    Assert.That(e.Message, Does.Contain(path).And.EndsWith(".").And.Not.Contains("\n"), $"byte {at} changed by {change}");
                }
                catch (Exception e)
                {
                    Assert.Fail($"byte {at} changed by {change}: {e}");
                }
            }
    }

    /// <summary>The same variable as it is, so that a changed byte is one of the format's and not of zlib's.</summary>
    private static byte[] Inflated(byte[] file)
    {
        var bytes = new MemoryStream();
        bytes.Write(file.AsSpan(0, 128));
        using (var zlib = new System.IO.Compression.ZLibStream(new MemoryStream(file[136..]), System.IO.Compression.CompressionMode.Decompress))
            zlib.CopyTo(bytes);
        return bytes.ToArray();
    }
}
