using IlgpuNetVlad.Engine.Conversion;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Layers;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Weights;

namespace IlgpuNetVlad.Tests.Conversion;

/// <summary>The network of the files beside this one (fixtures.py), with its numbers.</summary>
internal static class SmallNetwork
{
    public const int Height = 14, Width = 18, K = 3, D = 6, Pca = 5;

    public static Backbone Trunk { get; } = new(
        "small",
        (device, settings) =>
        [
            new ConvolutionLayer(device, "features.0", 3, 4, 3, padding: 1),
            new MaxPoolingLayer("features.2", 2, 2, settings.CeilPooling == true),
            new ConvolutionLayer(device, "features.3", 4, D, 3, padding: 1, relu: settings.KeepRelu),
        ],
        CeilPooling: false,
        Preprocessing.City);

    public static float[] Numbers(int seed, int count) => [.. Enumerable.Range(0, count).Select(i => ((i * 37 + seed * 11) % 61 - 30) / 32f)];

    /// <summary>As PyTorch's ports call them, without PCA and bias.</summary>
    public static List<SafetensorsTensor> Tensors(string trunk = "encoder.", string pool = "pool.") =>
    [
        new($"{trunk}0.weight", [4, 3, 3, 3], Numbers(1, 108)), new($"{trunk}0.bias", [4], Numbers(2, 4)), new($"{trunk}3.weight", [D, 4, 3, 3], Numbers(3, 216)),
        new($"{trunk}3.bias", [D], Numbers(4, D)), new($"{pool}conv.weight", [K, D, 1, 1], Numbers(5, K * D)), new($"{pool}centroids", [K, D], Numbers(6, K * D)),
    ];

    public static IEnumerable<SafetensorsTensor> PcaTensors(string name) => [new($"{name}weight", [Pca, K * D, 1, 1], Numbers(7, Pca * K * D)), new($"{name}bias", [Pca], Numbers(8, Pca))];

    /// <summary>The same, made by hand.</summary>
    public static Network Make(NetworkSettings settings, bool pca)
    {
        var network = Network.Create(Devices.Cpu, settings with { Clusters = K }, 1, Trunk);
        var seeds = new Dictionary<string, int>
        {
            ["features.0.weight"] = 1, ["features.0.bias"] = 2, ["features.3.weight"] = 3, ["features.3.bias"] = 4, ["pool.conv.weight"] = 5, ["pool.centroids"] = 6, ["pool.conv.bias"] = 9,
        };
        if (settings.Pooling.HasClusters())
            network.SetClusters(new float[K * D], 1);
        foreach (var p in network.Parameters)
            p.Write(Numbers(seeds[p.Name], (int)p.Length));
        if (pca)
            network.Pca = new(K * D, Pca, Numbers(7, Pca * K * D), Numbers(8, Pca));
        return network;
    }

    public static string Fixture(string name) => Path.Combine(SharedFolder.Repository, "tests", "Conversion", name);

    public static ConversionResult Convert(string from, string to, PoolingKind? pooling = null, params Backbone[] trunks)
        => new NetworkConversion { Backbones = trunks.Length > 0 ? trunks : [.. Backbone.All, Trunk], Pooling = pooling }.Run(Devices.Cpu, from, to);

    /// <summary>A converted file and what it must be, number for number and descriptor for descriptor.</summary>
    public static void AssertSame(string file, Network expected)
    {
        using var read = Network.Load(Devices.Cpu, file, backbone: Trunk);
        Assert.That(read.Settings, Is.EqualTo(expected.Settings));
        foreach (var (a, b) in read.Parameters.Zip(expected.Parameters))
            Assert.That(a.Read(), Is.EqualTo(b.Read()).AsCollection, a.Name);
        Assert.That((read.Pca?.Weight, read.Pca?.Bias), Is.EqualTo((expected.Pca?.Weight, expected.Pca?.Bias)));
        Assert.That(read.ClustersInitialised, Is.EqualTo(expected.ClustersInitialised));
        if (expected.ClustersInitialised)
            Assert.That(Describe(read), Is.EqualTo(Describe(expected)).AsCollection);
    }

    private static float[] Describe(Network network)
    {
        using var plan = network.Plan(2, Height, Width);
        Devices.Cpu.Upload([.. Enumerable.Range(0, 2 * Height * Width * 3).Select(i => (i * i % 255 - 127) / 64f)], plan.Input);
        float[] pooled = Devices.Cpu.Download(plan.Forward(2));
        return network.Pca is { } pca ? pca.Apply(Devices.Cpu, new(2, pca.InputLength, pooled)).Values : pooled;
    }
}
