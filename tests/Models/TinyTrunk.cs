using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Layers;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.Models;

/// <summary>A small network with every kind of layer in it, for images of about 13×15.</summary>
internal static class TinyTrunk
{
    public const int Height = 13, Width = 15;

    public static Backbone Backbone { get; } = new(
        "tiny",
        (device, settings) =>
        [
            new ConvolutionLayer(device, "a", 3, 8, 3, padding: 1, alias: "conv1_1"),
            new LocalResponseLayer("norm", 5, 0.02f, 0.75f, 1),
            new MaxPoolingLayer("half", 2, 2, settings.CeilPooling == true),
            new ConvolutionLayer(device, "b", 8, 8, 3, padding: 1, groups: 2, alias: "conv2_1"),
            new FireLayer(device, "c", 8, 4, 6, alias: "fire"),
            new ConvolutionLayer(device, "d", 12, 10, 1, relu: settings.KeepRelu),
        ],
        CeilPooling: true,
        Preprocessing.City);

    /// <summary>Whose maps are kept in bf16 where products are.</summary>
    public static Backbone Convolutions { get; } = new(
        "tiny",
        (device, _) =>
        [
            new ConvolutionLayer(device, "a", 3, 8, 3, padding: 1),
            new MaxPoolingLayer("half", 2, 2),
            new ConvolutionLayer(device, "b", 8, 12, 3, padding: 1),
            new ConvolutionLayer(device, "d", 12, 10, 1, relu: false),
        ],
        CeilPooling: false,
        Preprocessing.City);

    /// <summary>With random weights and, where it has them, clusters.</summary>
    public static Network Network(Device device, PoolingKind pooling, int clusters = 5, bool softFloor = false, Backbone? trunk = null)
    {
        var network = Engine.Models.Network.Create(device, new NetworkSettings { Pooling = pooling, Clusters = clusters, SoftFloor = softFloor }, 11, trunk ?? Backbone);
        var random = new Random(5);
        foreach (var p in network.Parameters.Where(p => p.FanIn == 0))
            p.Write(Numbers(random, (int)p.Length, 0.2f));
        if (pooling.HasClusters())
            network.SetClusters(Numbers(random, clusters * network.LocalDimension, 0.6f), 4);
        return network;
    }

    public static float[] Numbers(Random random, int length, float scale = 1)
    {
        var values = new float[length];
        for (int i = 0; i < length; i++)
            values[i] = (random.NextSingle() * 2 - 1) * scale;
        return values;
    }

    public static float[] Images(int count, int seed = 1) => Numbers(new Random(seed), count * Height * Width * 3);
}
