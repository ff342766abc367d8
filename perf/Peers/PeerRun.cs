using System.Diagnostics;
using System.Runtime.InteropServices;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Peers;

/// <summary>
/// One image's maps or descriptor, computed by this engine and by each peer in turn, round after round in one go: whatever else the machine does meets all
/// alike. Weights are the same for all, and so is the image.
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
            using var work = new PeerWork(device, options, options.Weights);
            string weights = Path.Combine(scratch, "weights.safetensors"), onnx = Path.Combine(scratch, "network.onnx"), image = Path.Combine(scratch, "image");
            work.Network.Save(weights);
            work.Export(onnx);
            File.WriteAllBytes(image, MemoryMarshal.AsBytes<float>(work.Planes).ToArray());
            // The runtime compiles what runs often once more, and better.
            for (long begin = Stopwatch.GetTimestamp(), runs = 0; runs < 60 && Stopwatch.GetElapsedTime(begin).TotalSeconds < 6; runs++)
                work.Run();
            float[] ours = work.Result(), right = options.AgainstFp64 ? Fp64(weights, options) : ours;

            var peers = new List<PeerProcess>();
            try
            {
                var rows = new List<PeerRow> { new("ours", [], options.AgainstFp64 ? Difference(ours, right) : null) };
                foreach (var (name, command) in options.Peers)
                {
                    Console.WriteLine($"Starting {name}");
                    var peer = new PeerProcess(name, options.Filled(command, weights, onnx, device.Threads));
                    peers.Add(peer);
                    string answer = Path.Combine(scratch, "answer");
                    peer.Input(image);
                    peer.Output(answer);
                    rows.Add(new(name, [], Difference(MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(answer)), right)));
                }
                for (int round = 1; round <= options.Rounds; round++)
                {
                    long begin = Stopwatch.GetTimestamp();
                    work.Run();
                    rows[0].Seconds.Add(Stopwatch.GetElapsedTime(begin).TotalSeconds);
                    for (int i = 0; i < peers.Count; i++)
                        rows[i + 1].Seconds.Add(peers[i].Go());
                    Console.WriteLine($"Round {round}: {string.Join(", ", rows.Select(r => $"{r.Name} {1000 * r.Seconds[^1]:0.0} ms"))}");
                }
                new PeerReport(options, device.Threads, peak, work.Flops, rows).Write(options.Folder);
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

    /// <summary>The same by the reference loops, every sum in fp64.</summary>
    private static float[] Fp64(string weights, PeerOptions options)
    {
        Console.WriteLine("Computing with sums in fp64");
        using var device = Device.Cpu(preferred: VariantKind.Reference);
        using var work = new PeerWork(device, options, weights);
        work.Run();
        return work.Result();
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
