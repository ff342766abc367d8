using System.Globalization;
using System.Runtime.InteropServices;
using IlgpuNetVlad.Engine.Onnx;
using IlgpuNetVlad.Kernels;
using IlgpuNetVlad.Perf.Peers.Served;

namespace IlgpuNetVlad.Perf.Peers;

/// <summary>Maps or descriptors of a batch of images. Weights are the same for all, and so are the images.</summary>
internal sealed class NetworkComparison : IComparedWork
{
    private readonly PeerOptions options;
    private readonly string weights, onnx;
    private float[] right = [];

    /// <param name="scratch">A folder for the files that engines read.</param>
    public NetworkComparison(PeerOptions options, string scratch)
    {
        this.options = options;
        (weights, onnx, Input) = (Path.Combine(scratch, "weights.safetensors"), Path.Combine(scratch, "network.onnx"), Path.Combine(scratch, "images"));
        using var device = Device.Cpu();
        using var network = options.Weights is { } file ? ComparedNetwork.Open(device, options.Work, file) : ComparedNetwork.Random(device, options.Work);
        network.Save(weights);
        // VGG-16's maps alone have no file.
        if (options.Work != ComparedNetwork.Trunk)
            OnnxExport.Write(network, onnx, options.Height, options.Width);
        Flops = options.Batch * ComparedNetwork.Flops(network, options.Height, options.Width);
        WriteImages(Input, options.Batch, options.Height, options.Width, pixels: options.Work != ComparedNetwork.Trunk);
    }

    public string Title => $"{(options.Work == ComparedNetwork.Trunk ? "VGG-16 to conv5_3" : $"{options.Work} with NetVLAD, pixels to descriptor")}, {(options.Batch == 1 ? "one image" : $"{options.Batch} images")} {options.Height}×{options.Width}, fp32";

    public string DifferenceTitle => $"relative L2 from {(options.AgainstFp64 ? "fp64" : "ours")}";

    public double Flops { get; }

    public string Input { get; }

    public IReadOnlyList<string> Own => ["network", options.Work, weights, Text(options.Batch), Text(options.Height), Text(options.Width)];

    public string Filled(string command) => command
        .Replace("{weights}", weights)
        .Replace("{onnx}", onnx)
        .Replace("{work}", options.Work)
        .Replace("{batch}", Text(options.Batch))
        .Replace("{height}", Text(options.Height))
        .Replace("{width}", Text(options.Width));

    public double? Take(ReadOnlySpan<byte> ours)
    {
        right = options.AgainstFp64 ? Fp64() : MemoryMarshal.Cast<byte, float>(ours).ToArray();
        return options.AgainstFp64 ? Difference(ours) : null;
    }

    public double Difference(ReadOnlySpan<byte> answer) => RelativeDistance.L2(MemoryMarshal.Cast<byte, float>(answer), right);

    /// <summary>The same by the reference loops, every sum in fp64.</summary>
    private float[] Fp64()
    {
        Console.WriteLine("Computing with sums in fp64");
        using var device = Device.Cpu(preferred: VariantKind.Reference);
        using var reference = new ServedNetwork(device, options.Work, weights, options.Batch, options.Height, options.Width);
        reference.Take(Input);
        reference.Run();
        return MemoryMarshal.Cast<byte, float>(reference.Answer()).ToArray();
    }

    /// <summary>Images as peers take them, [batch,3,H,W]: noise, in 0…255 or around 0.</summary>
    internal static void WriteImages(string path, int batch, int height, int width, bool pixels)
    {
        var random = new Random(1);
        var values = new float[batch * 3 * height * width];
        foreach (ref float value in values.AsSpan())
            value = pixels ? random.Next(256) : 4 * random.NextSingle() - 2;
        File.WriteAllBytes(path, MemoryMarshal.AsBytes<float>(values).ToArray());
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
