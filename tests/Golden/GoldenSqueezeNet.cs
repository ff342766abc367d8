using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.GoldenTests;

/// <summary>Maps of SqueezeNet 1.1 with weights that were trained on ImageNet, on a crop of a photograph.</summary>
public sealed class GoldenSqueezeNet : IGoldenOperation
{
    // The file holds every eighth channel of the first two maps.
    private const int Step = 8;

    public string Op => "squeezenet1_1";

    public IEnumerable<GoldenCase> Cases(GoldenFile file)
    {
        string weights = file.Text("weights");
        return GoldenNetwork.EachFastKind(Op, device => Check(device, file, SharedFolder.Require("data", "weights", weights)));
    }

    private static void Check(Device device, GoldenFile file, string weights)
    {
        using var network = Network.Load(device, weights, NetworkSettings.For("squeezenet") with { Pooling = PoolingKind.Average });
        int[] shape = file.Tensor("pixels").Shape;
        var pixels = new PixelImage(shape[1], shape[2], Array.ConvertAll(file.Tensor("pixels").Integers!, x => checked((byte)x)));
        // Whoever asks for a network that ends earlier gets the earlier maps.
        foreach (var (layers, name, step) in new[] { (1, "conv1", Step), (3, "fire2", Step), (12, "fire9_before_relu", 1) })
        {
            var head = new Backbone("head", (_, _) => [.. network.Layers.Take(layers)], CeilPooling: false, network.Settings.Preprocessing);
            // It shares the layers, which the other owns, and filled them with its random start.
            var cut = Network.Create(device, network.Settings, 0, head);
            network.LoadTrunk(weights);
            using var plan = cut.Plan(1, shape[1], shape[2]);
            var input = new float[plan.Input.Length];
            network.Settings.Preprocessing.Apply(pixels, input);
            device.Upload(input, plan.Input);
            plan.ForwardTrunk(1);
            int channels = plan.FeatureShape.Channels;
            float[] map = GoldenNetwork.Features(plan, device, 1);
            GoldenCase.AssertClose([.. map.Where((_, i) => i % channels % step == 0)], file.Map(name), GoldenCase.ForwardTolerance, name);
        }
    }
}
