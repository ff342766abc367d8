using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Onnx;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Peers;

/// <summary>What all engines are to compute, by ours: VGG-16's maps of an image of noise, or a descriptor from 8-bit pixels, preprocessing included.</summary>
internal sealed class PeerWork : IDisposable
{
    private readonly NetworkPlan plan;
    private readonly PixelImage? pixels;
    private readonly float[] input;

    /// <param name="weights">A file to take them from; null for random ones.</param>
    public PeerWork(Device device, PeerOptions options, string? weights)
    {
        bool trunk = options.Work == PeerOptions.Trunk;
        var settings = NetworkSettings.For(trunk ? "vgg16" : options.Work) with { Pooling = trunk ? PoolingKind.Max : PoolingKind.NetVlad };
        Network = weights is null ? Network.Create(device, settings, 1) : Network.Load(device, weights, settings);
        if (!Network.ClustersInitialised)
            Network.SetClusters(Noise(new Random(2), settings.Clusters * Network.LocalDimension), 10);
        plan = Network.Plan(1, options.Height, options.Width);
        int count = options.Height * options.Width;
        var random = new Random(1);
        if (trunk)
            input = Noise(random, 3 * count);
        else
        {
            var rgb = new byte[3 * count];
            random.NextBytes(rgb);
            pixels = new(options.Height, options.Width, rgb);
            input = [.. rgb.Select(b => (float)b)];
        }
        Planes = Turned(input, 3);
        Flops = Network.Layers.Aggregate(
            (Shape: plan.InputShape, Flops: 0.0),
            (sum, layer) =>
            {
                var output = layer.Output(sum.Shape);
                return (output, sum.Flops + layer.Parameters.Where(p => p.FanIn > 0).Sum(p => 2.0 * p.Length * output.Height * output.Width));
            }).Flops;
    }

    public Network Network { get; }

    /// <summary>The image as peers take it, [3,H,W].</summary>
    public float[] Planes { get; }

    /// <summary>Of the convolutions, as the direct method needs them.</summary>
    public double Flops { get; }

    /// <summary>As ONNX, from pixels to the descriptor; VGG-16's maps alone have no file.</summary>
    public void Export(string path)
    {
        if (pixels is not null)
            OnnxExport.Write(Network, path, plan.InputShape.Height, plan.InputShape.Width);
    }

    public void Run()
    {
        if (pixels is null)
        {
            Network.Device.Upload(input, plan.Input);
            plan.ForwardTrunk(1);
            return;
        }
        Network.Settings.Preprocessing.Apply(pixels, input);
        Network.Device.Upload(input, plan.Input);
        plan.Forward(1);
    }

    /// <summary>Of the last run: the maps as peers give them, [D,P,Q], or the descriptor.</summary>
    public float[] Result() => pixels is null
        ? Turned(Network.Device.Download(plan.Features(1)), Network.LocalDimension)
        : Network.Device.Download(plan.Forward(1));

    private static float[] Noise(Random random, int count)
    {
        var values = new float[count];
        foreach (ref float value in values.AsSpan())
            value = 4 * random.NextSingle() - 2;
        return values;
    }

    /// <summary>[N,D] as [D,N].</summary>
    private static float[] Turned(float[] rows, int channels)
    {
        int count = rows.Length / channels;
        var planes = new float[rows.Length];
        for (int i = 0; i < rows.Length; i++)
            planes[i % channels * count + i / channels] = rows[i];
        return planes;
    }

    public void Dispose()
    {
        plan.Dispose();
        Network.Dispose();
    }
}
