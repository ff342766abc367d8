using System.Text.Json;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Layers;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.GoldenTests;

/// <summary>Three steps of training a small network: descriptors, losses, gradients and parameters.</summary>
public sealed class GoldenSmallNet : IGoldenOperation
{
    public string Op => "small_net";

    public IEnumerable<GoldenCase> Cases(GoldenFile file)
    {
        int[] channels = JsonSerializer.Deserialize<int[]>(file.Text("channels"))!, images = file.Tensor("images").Shape;
        var settings = new NetworkSettings { Pooling = PoolingKind.NetVladV2, Clusters = file.Integer("K") };
        var step = new Step(file.Number("lr"), file.Number("momentum"), file.Number("weight_decay"), file.Number("margin"));
        return GoldenNetwork.EachKind(Op, device => Check(device, file, channels, images, settings, step));
    }

    private sealed record Step(float LearningRate, float Momentum, float WeightDecay, float Margin);

    private static void Check(Device device, GoldenFile file, int[] channels, int[] images, NetworkSettings settings, Step step)
    {
        using var network = Network.Create(device, settings, 0, Trunk(channels));
        network.SetClusters(file.Values("step0.pool.centroids"), 1);
        foreach (var p in network.Parameters)
            p.Write(file.Values("step0." + p.Name));
        using var plan = network.Plan(images[0], images[2], images[3], training: true);
        device.Upload(file.Map("images"), plan.Input);
        var shape = new RankingShape(1, 1, images[0] - 2, network.PooledLength, images[0], step.Margin);
        using var indices = device.Allocate(images[0]);
        device.UploadIndices([.. Enumerable.Range(0, images[0])], indices);
        using var loss = device.Allocate(1);
        using var one = device.Allocate([1f]);
        using var violating = device.Allocate(1);
        using var gradient = device.Allocate((long)images[0] * network.PooledLength);
        using var workspace = device.Allocate(RankingLoss.WeakOperation.Workspace(device, shape));
        var losses = new float[3];
        for (int t = 0; t < losses.Length; t++)
        {
            var descriptors = plan.Forward(images[0]);
            if (t == 0)
                GoldenCase.AssertClose(device.Download(descriptors), file.Values("descriptors"), GoldenCase.ForwardTolerance, "descriptors");
            RankingLoss.Weak(device, shape, descriptors, indices, loss, violating, gradient, workspace);
            losses[t] = device.Download(loss)[0];
            plan.Backward(images[0], gradient);
            foreach (var p in network.Parameters)
            {
                if (t == 0)
                    GoldenCase.AssertClose(p.ReadGradient(), file.Values("grad." + p.Name), GoldenCase.GradientTolerance, "gradient of " + p.Name);
                p.Descend(step.LearningRate, step.Momentum, step.WeightDecay, one);
                if (file.Has($"step{t + 1}.{p.Name}"))
                    GoldenCase.AssertClose(p.Read(), file.Values($"step{t + 1}.{p.Name}"), GoldenCase.ForwardTolerance, $"{p.Name} after {t + 1} steps");
            }
        }
        GoldenCase.AssertClose(losses, file.Values("losses"), GoldenCase.ForwardTolerance, "losses");
    }

    /// <summary>Convolutions of 3×3 with ReLU and pooling between.</summary>
    private static Backbone Trunk(int[] channels) => new(
        "small",
        (device, settings) =>
        {
            var layers = new List<Layer>();
            for (int i = 0; i < channels.Length; i++)
            {
                if (i > 0)
                    layers.Add(new MaxPoolingLayer($"pool{i}", 2, 2, settings.CeilPooling == true));
                layers.Add(new ConvolutionLayer(device, $"backbone.conv{i + 1}", i == 0 ? 3 : channels[i - 1], channels[i], 3, padding: 1, relu: i < channels.Length - 1));
            }
            return layers;
        },
        CeilPooling: false,
        Preprocessing.ImageNet);
}
