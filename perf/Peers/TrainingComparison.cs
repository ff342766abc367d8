using System.Globalization;
using System.Runtime.InteropServices;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Peers;

/// <summary>
/// Updates of VGG-16 with NetVLAD (<see cref="TrainingWork"/>). Where training begins behind the first layer, ours is fed with the maps of its trunk cache; peers may
/// take the same maps, or the images.
/// </summary>
internal sealed class TrainingComparison : IComparedWork
{
    private readonly PeerOptions options;
    private readonly string weights, maps, first;
    private readonly float[] before;
    private float loss;
    private float[] update = [];

    /// <param name="first">First layer that learns.</param>
    /// <param name="scratch">A folder for the files that engines read.</param>
    public TrainingComparison(PeerOptions options, string first, string scratch)
    {
        (this.options, this.first) = (options, first);
        (weights, maps, Input) = (Path.Combine(scratch, "weights.safetensors"), Path.Combine(scratch, "maps"), Path.Combine(scratch, "images"));
        using var device = Device.Cpu();
        using var network = options.Weights is { } file ? ComparedNetwork.Open(device, TrainingWork.Backbone, file) : ComparedNetwork.Random(device, TrainingWork.Backbone);
        network.Save(weights);
        NetworkComparison.WriteImages(Input, TrainingWork.Images, options.Height, options.Width, pixels: true);
        int learning = network.FirstLearning(first);
        Flops = TrainingWork.Images * ComparedNetwork.Flops(network, options.Height, options.Width, learning, learning);
        before = [.. network.Layers.Skip(learning).SelectMany(l => l.Parameters).SelectMany(p => p.Read())];
        if (learning > 0)
            WriteMaps(network);
    }

    public string Title
        => $"a training step of {TrainingWork.Backbone} with NetVLAD from {first}, {TrainingWork.Tuples} tuples of {TrainingWork.Images / TrainingWork.Tuples} images {options.Height}×{options.Width}, fp32";

    public string DifferenceTitle => "relative difference from ours, of the loss or of the update";

    public double Flops { get; }

    public string Input { get; }

    public IReadOnlyList<string> Own
        => ["train", first, weights, File.Exists(maps) ? maps : "-", options.Height.ToString(CultureInfo.InvariantCulture), options.Width.ToString(CultureInfo.InvariantCulture)];

    public string Filled(string command) => command
        .Replace("{weights}", weights)
        .Replace("{maps}", maps)
        .Replace("{first}", first)
        .Replace("{height}", options.Height.ToString(CultureInfo.InvariantCulture))
        .Replace("{width}", options.Width.ToString(CultureInfo.InvariantCulture));

    public double? Take(ReadOnlySpan<byte> ours)
    {
        (loss, update) = Parts(ours);
        return null;
    }

    /// <summary>The larger of two: the loss's, and that of what was added to the weights (relative L2).</summary>
    public double Difference(ReadOnlySpan<byte> answer)
    {
        if (answer.Length != (1 + before.Length) * sizeof(float))
            return double.NaN;
        var (theirLoss, theirUpdate) = Parts(answer);
        return Math.Max(Math.Abs((theirLoss - loss) / loss), RelativeDistance.L2(theirUpdate, update));
    }

    private (float Loss, float[] Update) Parts(ReadOnlySpan<byte> answer)
    {
        var numbers = MemoryMarshal.Cast<byte, float>(answer);
        float[] added = numbers[1..].ToArray();
        for (int i = 0; i < added.Length; i++)
            added[i] -= before[i];
        return (numbers[0], added);
    }

    /// <summary>What the layers before the first that learns make of the images, as [images, C, h, w].</summary>
    private void WriteMaps(Network network)
    {
        using var plan = network.Plan(PlanPart.Frozen, 1, options.Height, options.Width, first, training: false);
        var preprocessing = network.Settings.Preprocessing;
        var images = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(Input));
        int length = (int)plan.InputShape.Length, count = length / 3;
        var input = new float[length];
        using var file = File.Create(maps);
        for (int image = 0; image < TrainingWork.Images; image++)
        {
            for (int i = 0; i < length; i++)
                input[i] = (images[image * length + i % 3 * count + i / 3] - preprocessing.Mean[i % 3]) * preprocessing.Scale[i % 3];
            network.Device.Upload(input, plan.Input);
            float[] rows = network.Device.Download(plan.Forward(1));
            int channels = network.Layers[network.FirstLearning(first)].Parameters[0].FileShape[1], pixels = rows.Length / channels;
            var planes = new float[rows.Length];
            for (int i = 0; i < rows.Length; i++)
                planes[i % channels * pixels + i / channels] = rows[i];
            file.Write(MemoryMarshal.AsBytes<float>(planes));
        }
    }
}
