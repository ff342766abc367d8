using IlgpuNetVlad.Engine.Layers;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Peers;

/// <summary>The networks that engines are compared by.</summary>
internal static class ComparedNetwork
{
    /// <summary>VGG-16 up to conv5_3, whose maps are the answer.</summary>
    public const string Trunk = "trunk";

    /// <summary>That, and backbones whose descriptors by NetVLAD of 64 clusters are the answer.</summary>
    public static readonly IReadOnlyList<string> Names = [Trunk, "vgg16", "squeezenet", "alexnet"];

    /// <summary>Reads one from a file.</summary>
    public static Network Open(Device device, string name, string weights) => WithClusters(Network.Load(device, weights, Settings(name)));

    /// <summary>One with random weights.</summary>
    public static Network Random(Device device, string name) => WithClusters(Network.Create(device, Settings(name), 1));

    /// <summary>Of one image through all layers; of the way back for those that learn too, twice the way forth but for the first one's input.</summary>
    /// <param name="first">Index of the first layer that runs.</param>
    /// <param name="learning">Index of the first layer that learns; null for none.</param>
    public static double Flops(Network network, int height, int width, int first = 0, int? learning = null)
    {
        double flops = 0;
        var shape = new MapShape(height, width, 3);
        for (int i = 0; i < network.Layers.Count; i++)
        {
            var output = network.Layers[i].Output(shape);
            double forth = network.Layers[i].Parameters.Where(p => p.FanIn > 0).Sum(p => 2.0 * p.Length * output.Height * output.Width);
            if (i >= first)
                flops += forth * (i < learning || learning is null ? 1 : i == learning ? 2 : 3);
            shape = output;
        }
        return flops;
    }

    private static NetworkSettings Settings(string name)
        => NetworkSettings.For(name == Trunk ? "vgg16" : name) with { Pooling = name == Trunk ? PoolingKind.Max : PoolingKind.NetVlad };

    private static Network WithClusters(Network network)
    {
        if (!network.ClustersInitialised)
        {
            var random = new Random(2);
            network.SetClusters([.. Enumerable.Range(0, network.Settings.Clusters * network.LocalDimension).Select(_ => 4 * random.NextSingle() - 2)], 10);
        }
        return network;
    }
}
