using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.GoldenTests;

/// <summary>VGG-16 with NetVLAD and weights made by the recipe in the file's note.</summary>
public sealed class GoldenVgg16 : IGoldenOperation
{
    private const int Clusters = 64, Channels = 512;

    public string Op => "vgg16_netvlad";

    public IEnumerable<GoldenCase> Cases(GoldenFile file)
    {
        ulong seed = (ulong)file.Integer("seed");
        int[] image = System.Text.Json.JsonSerializer.Deserialize<int[]>(file.Text("image_shape"))!;
        return GoldenNetwork.EachFastKind(Op, device => Check(device, file, seed, image));
    }

    private static void Check(Device device, GoldenFile file, ulong seed, int[] image)
    {
        Assert.That(
            GoldenNetwork.Noise(11000, 3), Is.EqualTo(new[] { 103877 / 8388608f, -7424264 / 8388608f, -7522175 / 8388608f }), "noise");
        using var network = Network.Create(device, NetworkSettings.For("vgg16") with { Pooling = PoolingKind.NetVladV2, Clusters = Clusters }, 0);
        ulong next = seed;
        foreach (var p in network.Parameters.Where(p => p.Layer != network.Pooling.Name))
        {
            float factor = p.FanIn > 0 ? (float)Math.Sqrt(6.0 / p.FanIn) : 0.05f;
            p.Write(Array.ConvertAll(GoldenNetwork.Noise(next++, (int)p.Length), x => x * factor));
        }
        float scale = (float)(1 / Math.Sqrt(Channels));
        // w = 60c and b = −30‖c‖²: version 2 with α = 30.
        network.SetClusters(Array.ConvertAll(GoldenNetwork.Noise(seed + 101, Clusters * Channels), x => x * scale), 30);
        using var plan = network.Plan(image[0], image[2], image[3]);
        float[] pixels = GoldenNetwork.Noise(seed + 100, image.Aggregate((a, b) => a * b));
        device.Upload(GoldenNetwork.ToNhwc(pixels, image[0], image[1], image[2], image[3]), plan.Input);
        float[] descriptors = device.Download(plan.Forward(image[0]));
        GoldenCase.AssertClose(GoldenNetwork.Features(plan, device, image[0]), file.Map("features"), GoldenCase.ForwardTolerance, "features");
        GoldenCase.AssertClose(descriptors, file.Values("y"), GoldenCase.ForwardTolerance, "descriptors");
    }
}
