using IlgpuNetVlad.Engine.Layers;

namespace IlgpuNetVlad.Engine.Models;

/// <summary>
/// Where everything of a plan lies in its one block of memory, in numbers. Layers that do not learn share two maps in turn; from the first that learns on, each
/// keeps its own output, and two gradients take turns on the way back.
/// </summary>
internal sealed class PlanLayout
{
    // Kernels like their maps to begin at a cache line.
    private const long Alignment = 64;

    /// <summary>A piece of the block.</summary>
    public readonly record struct Piece(long Offset, long Length);

    public required int MaxImages { get; init; }

    /// <summary>Index of the first layer that learns.</summary>
    public required int FirstTrained { get; init; }

    /// <summary>What each layer takes; one more, of the last layer's result.</summary>
    public required MapShape[] Shapes { get; init; }

    public required Piece Input { get; init; }
    public required Piece[] Outputs { get; init; }
    public required Piece[] Kept { get; init; }
    public required Piece[] Gradients { get; init; }
    public required Piece Workspace { get; init; }

    /// <summary>Numbers of the whole block.</summary>
    public required long Total { get; init; }

    public static PlanLayout Of(Network network, int maxImages, int height, int width, int firstTrained)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxImages, 1);
        var layers = network.Layers;
        bool training = firstTrained < layers.Count;
        long total = 0;
        Piece Take(long length)
        {
            var piece = new Piece(total, length);
            total += (length + Alignment - 1) / Alignment * Alignment;
            return piece;
        }

        var shapes = new MapShape[layers.Count + 1];
        shapes[0] = new(height, width, 3);
        for (int i = 0; i < layers.Count; i++)
            shapes[i + 1] = layers[i].Output(shapes[i]);
        var input = Take(maxImages * shapes[0].Length);
        var turns = new Piece[2];
        var scratch = new Piece(0, 0);
        if (firstTrained > 0)
        {
            for (int t = 0; t < 2; t++)
                turns[t] = Take(maxImages * Enumerable.Range(0, firstTrained).Where(i => i % 2 == t).Select(i => shapes[i + 1].Length).DefaultIfEmpty().Max());
            scratch = Take(Enumerable.Range(0, firstTrained).Max(i => layers[i].Kept(maxImages, shapes[i])));
        }
        var outputs = new Piece[layers.Count];
        var kept = new Piece[layers.Count];
        long workspace = 0;
        for (int i = 0; i < layers.Count; i++)
        {
            bool own = i >= firstTrained;
            outputs[i] = own ? Take(maxImages * shapes[i + 1].Length) : turns[i % 2];
            kept[i] = own ? Take(layers[i].Kept(maxImages, shapes[i])) : scratch;
            // A smaller batch may run by another variant, with a need of its own.
            workspace = Math.Max(workspace, Math.Max(
                layers[i].Workspace(network.Device, maxImages, shapes[i], training && own), layers[i].Workspace(network.Device, 1, shapes[i], training && own)));
        }
        var gradients = new Piece[2];
        if (training)
            for (int t = 0; t < 2; t++)
                gradients[t] = Take(maxImages * Enumerable.Range(firstTrained + 1, Math.Max(0, layers.Count - firstTrained - 1)).Where(i => i % 2 == t).Select(i => shapes[i].Length).DefaultIfEmpty().Max());
        var work = Take(workspace);
        return new()
        {
            MaxImages = maxImages, FirstTrained = firstTrained, Shapes = shapes, Input = input, Outputs = outputs, Kept = kept, Gradients = gradients, Workspace = work, Total = total,
        };
    }
}
