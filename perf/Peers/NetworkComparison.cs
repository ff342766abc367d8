using System.Runtime.InteropServices;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Peers;

/// <summary>One image's maps or descriptor. Weights are the same for all, and so is the image.</summary>
internal sealed class NetworkComparison : IComparedWork
{
    private readonly PeerOptions options;
    private readonly PeerWork work;
    private readonly string weights, onnx;
    private readonly int threads;
    private readonly float[] right;

    /// <param name="scratch">A folder for the files that peers read.</param>
    public NetworkComparison(Device device, PeerOptions options, string scratch)
    {
        (this.options, threads) = (options, device.Threads);
        (weights, onnx, Input) = (Path.Combine(scratch, "weights.safetensors"), Path.Combine(scratch, "network.onnx"), Path.Combine(scratch, "image"));
        work = new(device, options, options.Weights);
        work.Network.Save(weights);
        work.Export(onnx);
        File.WriteAllBytes(Input, MemoryMarshal.AsBytes<float>(work.Planes).ToArray());
        work.Run();
        float[] ours = work.Result();
        right = options.AgainstFp64 ? Fp64() : ours;
        OwnDifference = options.AgainstFp64 ? Difference(MemoryMarshal.AsBytes<float>(ours)) : null;
    }

    public string Title => $"{(options.Work == PeerOptions.Trunk ? "VGG-16 to conv5_3" : $"{options.Work} with NetVLAD, pixels to descriptor")}, one image {options.Height}×{options.Width}, fp32";

    public string DifferenceTitle => $"relative L2 from {(options.AgainstFp64 ? "fp64" : "ours")}";

    public double Flops => work.Flops;

    public double? OwnDifference { get; }

    public string Input { get; }

    public string Filled(string command) => options.Filled(command, weights, onnx, threads);

    public void Run() => work.Run();

    /// <summary>‖found − right‖₂ / ‖right‖₂; NaN where the sizes differ.</summary>
    public double Difference(ReadOnlySpan<byte> answer)
    {
        var found = MemoryMarshal.Cast<byte, float>(answer);
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

    /// <summary>The same by the reference loops, every sum in fp64.</summary>
    private float[] Fp64()
    {
        Console.WriteLine("Computing with sums in fp64");
        using var device = Device.Cpu(preferred: VariantKind.Reference);
        using var reference = new PeerWork(device, options, weights);
        reference.Run();
        return reference.Result();
    }

    public void Dispose() => work.Dispose();
}
