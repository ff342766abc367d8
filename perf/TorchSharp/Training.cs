using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace IlgpuNetVlad.Perf.TorchSharp;

/// <summary>
/// Updates of VGG-16 with NetVLAD by 4 tuples of a query, a positive and 10 negatives: the weakly supervised ranking loss (1511.07247, equation 7), divided by the triplets that violate the
/// margin, and SGD with momentum and weight decay.
/// </summary>
/// <param name="first">First layer that learns: conv1_1 or conv5_1.</param>
/// <param name="maps">A file of what the layers before it make of the images; null: every step computes them, without gradients.</param>
internal sealed class Training(string first, string weights, string? maps, int height, int width, Layout layout) : IPeerWork
{
    private const int Tuples = 4, Each = 12;

    /// <summary>As perf/Peers/TrainingWork.cs has them.</summary>
    private const float Margin = 4, LearningRate = 0.1f;

    /// <summary>conv5_1's number in torchvision's list; the pooling before it halves the maps for the fourth time.</summary>
    private readonly int learning = first switch { "conv1_1" => 0, "conv5_1" => 24, _ => throw new ArgumentException($"Training from {first} is not known here: take conv1_1 or conv5_1.") };

    private NetVladNetwork network = null!;
    private optim.Optimizer optimizer = null!;
    private Tensor input = null!;
    private float loss;

    public void Take(string path)
    {
        optimizer?.Dispose();
        network?.Dispose();
        input?.Dispose();
        network = new("vgg16", weights, layout);
        foreach (var p in network.parameters())
            p.requires_grad = false;
        var learn = network.From(learning);
        foreach (var p in learn)
            p.requires_grad = true;
        optimizer = optim.SGD(learn, LearningRate, momentum: 0.9, weight_decay: 0.001);
        using var scope = NewDisposeScope();
        var values = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(maps ?? path)).ToArray();
        var x = maps is null ? network.Normalised(tensor(values, [Tuples * Each, 3, height, width])) : tensor(values, [Tuples * Each, 512, height / 16, width / 16]);
        input = x.Laid(layout).MoveToOuterDisposeScope();
    }

    public void Run()
    {
        using var scope = NewDisposeScope();
        optimizer.zero_grad();
        var x = input;
        if (maps is null && learning > 0)
        {
            using var noGradient = no_grad();
            x = network.Trunk(x, 0, learning);
        }
        var d = network.Pool(network.Trunk(x, learning, network.LayerCount)).view(Tuples, Each, -1);
        var query = d.narrow(1, 0, 1);
        var positive = (query - d.narrow(1, 1, 1)).square().sum(2);
        var negatives = (query - d.narrow(1, 2, Each - 2)).square().sum(2);
        var terms = (positive + Margin - negatives).relu();
        var sum = terms.sum();
        loss = sum.item<float>();
        (sum / Math.Max(1, (terms > 0).sum().item<long>())).backward();
        optimizer.step();
    }

    /// <summary>The loss before the update, then what learns, layer by layer.</summary>
    public byte[] Answer()
        => MemoryMarshal.AsBytes<float>([loss, .. network.From(learning).SelectMany(p => p.detach().contiguous().data<float>().ToArray())]).ToArray();
}
