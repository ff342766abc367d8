using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Conversion;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Layers;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Tests.Data;
using IlgpuNetVlad.Tests.Matlab;

namespace IlgpuNetVlad.Tests.Conversion;

/// <summary>MatConvNet's networks: what differs from those of NetVLAD's authors is told layer by layer.</summary>
[TestFixture]
public sealed class MatConvNetFiles
{
    private const int K = 2, D = 2;
    private static readonly MatlabBytes M = new();

    private TemporaryFolder folder = null!;
    private List<(string Type, string Name, (string Field, byte[] Value)[] Fields)> layers = null!;
    private byte[] mean = null!;

    /// <summary>Of every kind of layer that a trunk of theirs has: one that strides, responses normalised, a pooling that rounds up.</summary>
    private static Backbone Trunk { get; } = new(
        "responses",
        (device, settings) =>
        [
            new ConvolutionLayer(device, "one", 3, 2, 2, stride: 2),
            new LocalResponseLayer("norm", 5, 1e-4f / 5, 0.75f, settings.ResponseOffset),
            new MaxPoolingLayer("half", 3, 2, settings.CeilPooling == true),
            new ConvolutionLayer(device, "two", 2, D, 1, relu: settings.KeepRelu),
        ],
        CeilPooling: false,
        Preprocessing.City);

    [SetUp]
    public void MakeLayers()
    {
        folder = new();
        mean = M.Doubles("", [1, 1, 3], 10, 20, 30);
        layers =
        [
            ("conv", "conv1", [("weights", Weights(Numbers([2, 2, 3, 2], 1), Numbers([1, 2], 2))), ("stride", Vector(2, 2)), ("pad", Vector(0, 0, 0, 0))]),
            ("relu", "relu1", []),
            ("normalize", "norm1", [("param", Vector(5, 2, 2e-5, 0.75))]),
            ("pool", "pool1", [("method", M.Text("", "max")), ("pool", Vector(3, 3)), ("stride", Vector(2, 2)), ("pad", Vector(0, 1, 0, 1))]),
            ("conv", "conv2", [("weights", Weights(Numbers([1, 1, 2, D], 3), Numbers([1, D], 4))), ("stride", Vector(1)), ("pad", Vector(0))]),
            ("normalize", "preL2", [("param", Vector(2 * D, 1e-12, 1, 0.5))]),
            ("custom", "vlad:core", [("weights", Weights(Numbers([1, 1, D, K], 5), Numbers([1, 1, D, K], 6)))]),
            ("normalize", "vlad:intranorm", [("param", Vector(2 * D, 1e-12, 1, 0.5))]),
            ("custom", "postL2", []),
            ("conv", "WPCA", [("weights", Weights(Numbers([1, 1, K * D, 3], 7), Numbers([3, 1], 8)))]),
            ("custom", "finalL2", []),
        ];
    }

    [TearDown]
    public void RemoveFolder() => folder.Dispose();

    private static byte[] Vector(params double[] values) => M.Doubles("", [1, values.Length], values);

    private static byte[] Numbers(int[] shape, int seed)
        => M.Array(MatlabBytes.Single, shape, "", M.Element(7, M.Numbers(SmallNetwork.Numbers(seed, shape.Aggregate(1, (a, b) => a * b)))));

    private static byte[] Weights(params byte[][] values) => M.Cells("", [1, values.Length], values);

    private string Write(params byte[][] instead)
    {
        byte[][] cells = [.. layers.Select(l => M.Structs("", [1, 1], ["type", "name", .. l.Fields.Select(f => f.Field)], [M.Text("", l.Type), M.Text("", l.Name), .. l.Fields.Select(f => f.Value)]))];
        byte[] meta = M.Structs("", [1, 1], ["normalization"], M.Structs("", [1, 1], ["averageImage"], mean));
        return folder.Write("net.mat", M.File(M.Structs("net", [1, 1], ["layers", "meta"], M.Cells("", [1, cells.Length + instead.Length], [.. cells, .. instead]), meta)));
    }

    private ConversionResult Convert(PoolingKind? pooling = null) => SmallNetwork.Convert(Write(), folder["own"], pooling, Trunk);

    private Network Load() => Network.Load(Devices.Cpu, folder["own"], backbone: Trunk);

    private string Refused(PoolingKind? pooling = null, params byte[][] instead)
    {
        string path = Write(instead), message = Assert.Throws<UserErrorException>(() => SmallNetwork.Convert(path, folder["own"], pooling, Trunk))!.Message;
        Assert.That(message, Does.Contain(path).And.EndsWith(".").And.Not.Contains("\n"));
        MakeLayers();
        return message;
    }

    private string RefusedWith(int layer, string field, byte[] value)
    {
        layers[layer] = layers[layer] with { Fields = [.. layers[layer].Fields.Where(f => f.Field != field), (field, value)] };
        return Refused();
    }

    /// <summary>By hand, from the order in which the first index is the fastest.</summary>
    [Test]
    public void NumbersComeIntoOurOrder()
    {
        Convert();
        using var read = Load();
        float[] theirs = SmallNetwork.Numbers(1, 24), own = read.Parameters[0].Read();
        for (int o = 0; o < 2; o++)
            for (int i = 0; i < 3; i++)
                for (int h = 0; h < 2; h++)
                    for (int w = 0; w < 2; w++)
                        Assert.That(own[((o * 3 + i) * 2 + h) * 2 + w], Is.EqualTo(theirs[h + 2 * (w + 2 * (i + 3 * o))]));
        float[] pca = SmallNetwork.Numbers(7, 12);
        for (int row = 0; row < 3; row++)
            for (int k = 0; k < K; k++)
                for (int c = 0; c < D; c++)
                    Assert.That(read.Pca!.Weight[row * 4 + k * D + c], Is.EqualTo(pca[row * 4 + k + K * c]));
        Assert.That(read.Parameters.Single(p => p.Name == "pool.centroids").Read(), Is.EqualTo(SmallNetwork.Numbers(6, 4).Select(c => -c)), "centres bear the other sign");
        Assert.That(read.Parameters.Single(p => p.Name == "pool.conv.weight").Read(), Is.EqualTo(SmallNetwork.Numbers(5, 4)));
    }

    [Test]
    public void SettingsComeFromTheLayers()
    {
        Convert();
        using (var read = Load())
            Assert.That(read.Settings, Is.EqualTo(new NetworkSettings
            {
                Backbone = "responses", Pooling = PoolingKind.NetVlad, Clusters = 2, SoftFloor = true, CeilPooling = true, ResponseOffset = 2, Preprocessing = new([10, 20, 30], [1, 1, 1]),
            }));
        layers.Insert(5, ("relu", "relu2", []));
        layers[3].Fields[3] = ("pad", Vector(0));
        mean = M.Doubles("", [2, 1, 3], 1, 7, 2, 7, 3, 7);
        Convert();
        using (var read = Load())
            Assert.That((read.Settings.KeepRelu, read.Settings.CeilPooling, read.Settings.Preprocessing.Mean), Is.EqualTo((true, (bool?)false, new float[] { 1, 2, 3 })), "the mean image's first pixel");
    }

    [TestCase("max:core", PoolingKind.Max)]
    [TestCase("avg:core", PoolingKind.Average)]
    public void TheirBaselines_AreRead_WithTheirPca(string name, PoolingKind pooling)
    {
        layers[5..8].ForEach(l => layers.Remove(l));
        layers.Insert(5, ("custom", name, []));
        layers[7] = ("conv", "PCA", [("weights", Weights(Numbers([1, 1, D, 1], 7), Numbers([1, 1], 8)))]);
        Assert.That(Convert().HasClusters);
        using var read = Load();
        Assert.That((read.Settings.Pooling, read.Pca!.Weight), Is.EqualTo((pooling, SmallNetwork.Numbers(7, 2))));
    }

    /// <summary>MatConvNet's own, saved field by field, with what it was trained for behind it.</summary>
    [Test]
    public void ATrunkWithItsClassifier_IsCroppedBeforeItsLastRelu()
    {
        layers.RemoveRange(5, 6);
        layers.AddRange([("relu", "relu2", []), ("pool", "pool2", []), ("conv", "fc6", [("weights", Weights(Numbers([1, 1, 2, 2], 1), Numbers([1, 2], 1)))]), ("softmax", "prob", [])]);
        byte[][] cells = [.. layers.Select(l => M.Structs("", [1, 1], ["type", "name", .. l.Fields.Select(f => f.Field)], [M.Text("", l.Type), M.Text("", l.Name), .. l.Fields.Select(f => f.Value)]))];
        string path = folder.Write("imagenet.mat", M.File(M.Cells("layers", [1, cells.Length], cells), M.Structs("meta", [1, 1], ["normalization"], M.Structs("", [1, 1], ["averageImage"], mean))));
        var done = SmallNetwork.Convert(path, folder["own"], null, Trunk);
        Assert.That((done.HasClusters, done.LeftOut, done.Settings.KeepRelu), Is.EqualTo((false, new[] { "layer 8 (fc6)" }, false)));
        using var read = Load();
        Assert.That(read.Parameters[3].Read(), Is.EqualTo(SmallNetwork.Numbers(4, D)));
    }

    /// <summary>Without the class nobody knows what is in an object; the authors' layers are such.</summary>
    [Test]
    public void Objects_AreNamed_AndHowToMakeStructuresOfThem()
    {
        layers.RemoveRange(6, 5);
        byte[] opaque = M.Element(MatlabBytes.Matrix, [.. M.Flags(MatlabBytes.Opaque), .. M.Name(""), .. M.Name("MCOS"), .. M.Name("layerVLAD"), .. M.Doubles("", [1, 1], 1)]);
        Assert.That(Refused(null, opaque), Does.StartWith("layer 7 in").And.Contain("object of class layerVLAD").And.Contain("net.layers{i} = struct(net.layers{i})").And.Contain("-v7"));
        Assert.That(RefusedWith(6, "weights", M.Doubles("", [0, 0])), Does.Contain("layer 7 (vlad:core)").And.Contain("lost its weights").And.Contain("struct("));
    }

    [Test]
    public void OtherLayers_AreRefusedByName()
    {
        layers[1] = ("sigmoid", "odd", []);
        Assert.That(Refused(), Does.Contain("layer 2 (odd)").And.Contain("sigmoid"));
        layers.RemoveAt(1);
        Assert.That(Refused(), Does.Contain("no ReLU behind one"));
        (layers[2], layers[3]) = (layers[3], layers[2]);
        Assert.That(Refused(), Does.Contain("layer 3 (pool1)").And.Contain("norm"));
        layers.RemoveAt(5);
        Assert.That(Refused(), Does.Contain("layer 6 (vlad:core)").And.Contain("no preL2"));
        layers.RemoveAt(7);
        Assert.That(Refused(), Does.Contain("layer 7 (vlad:core)").And.Contain("vlad:intranorm"));
        layers.RemoveAt(8);
        Assert.That(Refused(), Does.Contain("layer 9 (WPCA)").And.Contain("postL2"));
        layers.RemoveAt(10);
        Assert.That(Refused(), Does.Contain("ends after 10 layers").And.Contain("finalL2"));
        layers.Add(("conv", "more", []));
        Assert.That(Refused(), Does.Contain("layer 12 (more)").And.Contain("must end"));
        layers[6] = ("custom", "gem:core", []);
        Assert.That(Refused(), Does.Contain("layer 7 (gem:core)").And.Contain("no pooling layer"));
        layers[5..8].ForEach(l => layers.Remove(l));
        layers.Insert(5, ("custom", "max:core", []));
        layers.Insert(5, ("normalize", "preL2", [("param", Vector(2 * D, 1e-12, 1, 0.5))]));
        Assert.That(Refused(), Does.Contain("layer 7 (max:core)").And.Contain("are normalised"));
        Assert.That(Refused(PoolingKind.Max), Does.Contain("the pooling netvlad, not max"));
    }

    [Test]
    public void OtherParameters_AreRefused()
    {
        Assert.That(RefusedWith(0, "stride", Vector(1, 1)), Does.Contain("layer 1 (conv1)").And.Contain("stride 1, 1"));
        Assert.That(RefusedWith(0, "pad", Vector(0, 1, 0, 1)), Does.Contain("padding 0, 1, 0, 1"));
        Assert.That(RefusedWith(0, "weights", Weights(Numbers([2, 2, 3, 2], 1))), Does.Contain("2 biases"));
        Assert.That(RefusedWith(0, "weights", Weights(Numbers([2, 2, 3, 7], 1), Numbers([1, 7], 1))), Does.Contain("of none of the trunks"));
        Assert.That(RefusedWith(1, "leak", Vector(0.1)), Does.Contain("layer 2 (relu1)").And.Contain("leaks"));
        Assert.That(RefusedWith(2, "param", Vector(5, 2, 2e-3, 0.75)), Does.Contain("layer 3 (norm1)").And.Contain("0.002"));
        Assert.That(RefusedWith(3, "method", M.Text("", "avg")), Does.Contain("layer 4 (pool1)"));
        Assert.That(RefusedWith(3, "pool", Vector(2, 2)), Does.Contain("layer 4 (pool1)"));
        Assert.That(RefusedWith(3, "pad", Vector(1, 1, 1, 1)), Does.Contain("padding [1, 1, 1, 1]"));
        Assert.That(RefusedWith(5, "param", Vector(2 * D, 1e-3, 1, 0.5)), Does.Contain("layer 6 (preL2)"));
        Assert.That(RefusedWith(5, "param", Vector(2, 1e-12, 1, 0.5)), Does.Contain("layer 6 (preL2)"));
        Assert.That(RefusedWith(6, "weights", Weights(Numbers([1, 1, D, K], 1), Numbers([1, 1, D, 3], 1))), Does.Contain("layer 7 (vlad:core)").And.Contain("1×1×2×K"));
        Assert.That(RefusedWith(6, "weights", Weights(Numbers([1, 1, D, K], 1), Numbers([1, 3], 1), Numbers([1, 1, D, K], 1))), Does.Contain("3 biases for 2 clusters"));
        Assert.That(RefusedWith(9, "weights", Weights(Numbers([1, 1, 5, 3], 7), Numbers([3, 1], 8))), Does.Contain("layer 10 (WPCA)").And.Contain("1×1×4×d"));
        mean = M.Doubles("", [1, 1, 2], 1, 2);
        Assert.That(Refused(), Does.Contain("averageImage").And.Contain("three channels"));
    }
}
