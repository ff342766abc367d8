using System.Diagnostics;
using System.Runtime.InteropServices;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Peers;

/// <summary>
/// VGG-16 up to conv5_3 (without its ReLU) of one image, computed by this engine and by each peer in turn, round after round in one go: whatever else the
/// machine does meets all alike. Weights are the same for all, and so is the image, noise as wide as a normalised photograph.
/// </summary>
internal static class PeerRun
{
    public static void Run(PeerOptions options)
    {
        using var device = Device.Cpu();
        Console.WriteLine("Measuring the multiply-adds' peak");
        double peak = FmaPeak.Measure(device.Threads);
        string scratch = Directory.CreateTempSubdirectory("peers").FullName;
        try
        {
            using var network = Open(device, options);
            string weights = Path.Combine(scratch, "weights.safetensors"), image = Path.Combine(scratch, "image");
            network.Save(weights);
            using var plan = network.Plan(1, options.Height, options.Width);
            float[] pixels = WriteImage(options, image), ours = Features(network, plan, pixels);
            float[] right = options.AgainstFp64 ? Fp64(weights, options, pixels) : ours;

            double flops = network.Layers.Take(network.Layers.Count - 1).Aggregate(
                (Shape: plan.InputShape, Flops: 0.0),
                (sum, layer) =>
                {
                    var output = layer.Output(sum.Shape);
                    return (output, sum.Flops + layer.Parameters.Where(p => p.FanIn > 0).Sum(p => 2.0 * p.Length * output.Height * output.Width));
                }).Flops;

            var peers = new List<PeerProcess>();
            try
            {
                var rows = new List<PeerRow> { new("ours", [], options.AgainstFp64 ? Difference(ours, right) : null) };
                foreach (var (name, command) in options.Peers)
                {
                    Console.WriteLine($"Starting {name}");
                    var peer = new PeerProcess(name, options.Filled(command, weights, device.Threads));
                    peers.Add(peer);
                    string answer = Path.Combine(scratch, "answer");
                    peer.Input(image);
                    peer.Output(answer);
                    rows.Add(new(name, [], Difference(MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(answer)), right)));
                }
                for (int round = 1; round <= options.Rounds; round++)
                {
                    long begin = Stopwatch.GetTimestamp();
                    plan.ForwardTrunk(1);
                    rows[0].Seconds.Add(Stopwatch.GetElapsedTime(begin).TotalSeconds);
                    for (int i = 0; i < peers.Count; i++)
                        rows[i + 1].Seconds.Add(peers[i].Go());
                    Console.WriteLine($"Round {round}: {string.Join(", ", rows.Select(r => $"{r.Name} {1000 * r.Seconds[^1]:0} ms"))}");
                }
                new PeerReport(options, device.Threads, peak, flops, rows).Write(options.Folder);
            }
            finally
            {
                peers.ForEach(p => p.Dispose());
            }
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    private static Network Open(Device device, PeerOptions options)
    {
        var settings = NetworkSettings.For("vgg16") with { Pooling = PoolingKind.Max };
        return options.Weights is null ? Network.Create(device, settings, 1) : Network.Load(device, options.Weights, settings);
    }

    /// <summary>The last map as peers give it, [D,P,Q].</summary>
    private static float[] Features(Network network, NetworkPlan plan, float[] pixels)
    {
        network.Device.Upload(pixels, plan.Input);
        plan.ForwardTrunk(1);
        return Planes(network.Device.Download(plan.Features(1)), network.LocalDimension);
    }

    /// <summary>The same by the reference loops, every sum in fp64.</summary>
    private static float[] Fp64(string weights, PeerOptions options, float[] pixels)
    {
        Console.WriteLine("Computing with sums in fp64");
        using var device = Device.Cpu(preferred: VariantKind.Reference);
        using var network = Network.Load(device, weights);
        using var plan = network.Plan(1, options.Height, options.Width);
        return Features(network, plan, pixels);
    }

    /// <summary>Writes the image as peers take it, [3,H,W], and returns it as we do, [H,W,3].</summary>
    private static float[] WriteImage(PeerOptions options, string path)
    {
        int pixels = options.Height * options.Width;
        var random = new Random(1);
        var planes = new float[3 * pixels];
        var image = new float[3 * pixels];
        for (int i = 0; i < planes.Length; i++)
            planes[i] = image[i % pixels * 3 + i / pixels] = 4 * random.NextSingle() - 2;
        File.WriteAllBytes(path, MemoryMarshal.AsBytes<float>(planes).ToArray());
        return image;
    }

    /// <summary>[N,D] as [D,N].</summary>
    private static float[] Planes(float[] rows, int channels)
    {
        int count = rows.Length / channels;
        var planes = new float[rows.Length];
        for (int i = 0; i < rows.Length; i++)
            planes[i % channels * count + i / channels] = rows[i];
        return planes;
    }

    /// <summary>‖found − right‖₂ / ‖right‖₂; NaN where the sizes differ.</summary>
    private static double Difference(ReadOnlySpan<float> found, ReadOnlySpan<float> right)
    {
        if (found.Length != right.Length)
            return double.NaN;
        double apart = 0, norm = 0;
        for (int i = 0; i < right.Length; i++)
        {
            apart += Math.Pow((double)found[i] - right[i], 2);
            norm += (double)right[i] * right[i];
        }
        return Math.Sqrt(apart / norm);
    }
}
