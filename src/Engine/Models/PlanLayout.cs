using IlgpuNetVlad.Engine.Layers;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Models;

/// <summary>
/// Where everything of a plan lies in its one block of memory. Times: layer i of L runs forth at i and back at 2L − i; what must be there for
/// the user between passes lives to the end. Layers before the first that learns keep nothing. Without a way back, what layers make of their parameters stays too, outside of
/// that block (<see cref="PreparedParameters"/>), a convolution and the pooling behind it are one layer where the device computes them so, and of large maps between convolutions there are some rows
/// alone (<see cref="BandedLayers"/>).
/// </summary>
internal sealed class PlanLayout
{
    private readonly ArenaPlanner arena = new();
    private readonly Network network;

    private PlanLayout(Network network, IReadOnlyList<Layer> layers, int maxImages, MapShape input, int firstTrained, bool pixels)
    {
        this.network = network;
        Layers = layers;
        (MaxImages, FirstTrained) = (maxImages, firstTrained);
        int count = layers.Count, end = 2 * count + 1;
        bool training = firstTrained < count;
        Shapes = new MapShape[count + 1];
        Shapes[0] = input;
        for (int i = 0; i < count; i++)
            Shapes[i + 1] = layers[i].Output(Shapes[i]);
        CheckSizes();

        Bf16 = [.. Enumerable.Range(0, count + 1).Select(IsBf16)];
        InputLength = pixels ? PixelNumbers.Floats(input.Height, input.Width) : input.Length;
        TakesPixels = pixels;
        if (!training)
            Banded = [.. BandedLayers.Of(network.Device, layers, Shapes)];
        Input = arena.Add(maxImages * InputLength, 0, end);
        for (int i = 0; i < count; i++)
        {
            bool trained = i >= firstTrained;
            var maps = Maps(i);
            var banded = Banded.FirstOrDefault(b => b.First <= i && i < b.End);
            // All layers of a group run at the time of its last.
            int first = banded?.First ?? i, last = i >= count - 2 ? end : BandedFrom(i + 1)?.End - 1 ?? i + 1;
            bool between = banded is not null && i < banded.End - 1;
            if (trained && layers[i].KeepsOutput)
                last = Math.Max(last, 2 * count - i);
            if (i + 1 >= firstTrained && i + 1 < count && training && layers[i + 1].KeepsInput)
                last = Math.Max(last, 2 * count - (i + 1));
            Outputs.Add(between ? arena.Add(Shapes[i + 1].Length / Shapes[i + 1].Height * banded!.Rows(i), first, banded.End - 1) : arena.Add(maxImages * Shapes[i + 1].Floats(Bf16[i + 1]), first, last));
            Kept.Add(arena.Add(layers[i].Kept(maxImages, maps), i, trained ? 2 * count - i : i));
            // On the way to a way back, parameters change from pass to pass, so only what the way back reads too is worth its memory.
            long prepared = layers[i].Prepared(network.Device, maxImages, maps);
            KeepsPrepared.Add(!training || layers[i].KeepsPrepared(network.Device, maxImages, maps));
            Shared.Add(!training && prepared > 0 ? new(layers[i].Parameters[0], layers[i].PreparedLayout(network.Device, maxImages, maps), prepared) : null);
            Prepared.Add(!training ? arena.Add(0, i) : KeepsPrepared[i] ? arena.Add(prepared, 0, end) : arena.Add(prepared, i));
            ForwardWorkspace.Add(banded is null ? arena.Add(Most(n => layers[i].ForwardWorkspace(network.Device, n, maps)), i)
                : arena.Add(banded.Steps.Where(s => s.Layer == i).Max(s => Convolution.ForwardBandOperation.PreparedWorkspace(network.Device, s.Band)), first, banded.End - 1));
            bool data = i > firstTrained;
            BackwardWorkspace.Add(trained ? arena.Add(Most(n => layers[i].BackwardWorkspace(network.Device, n, maps, data)), 2 * count - i) : null);
            InputGradients.Add(data ? arena.Add(maxImages * Shapes[i].Floats(Bf16[i]), 2 * count - i, 2 * count - (i - 1)) : null);
        }
        Block = arena.Place();
    }

    /// <summary>Those that the plan runs; the other lists go by their numbers here.</summary>
    public IReadOnlyList<Layer> Layers { get; }

    public int MaxImages { get; }

    /// <summary>Index of the first layer that learns; the number of layers where none does.</summary>
    public int FirstTrained { get; }

    /// <summary>What each layer takes; one more, of the last layer's result.</summary>
    public MapShape[] Shapes { get; }

    /// <summary>Whether the maps of <see cref="Shapes"/> are kept in bf16.</summary>
    public bool[] Bf16 { get; }

    /// <summary>Whether the input is 8-bit pixels.</summary>
    public bool TakesPixels { get; }

    /// <summary>Floats of one image in the input.</summary>
    public long InputLength { get; }

    /// <summary>Groups of layers that images go through band by band.</summary>
    public IReadOnlyList<BandedLayers> Banded { get; } = [];

    public ArenaPlanner.Piece Input { get; }
    public List<ArenaPlanner.Piece> Outputs { get; } = [];
    public List<ArenaPlanner.Piece> Kept { get; } = [];
    public List<ArenaPlanner.Piece> ForwardWorkspace { get; } = [];

    /// <summary>What layers make of their parameters on the way to a way back; empty without one.</summary>
    public List<ArenaPlanner.Piece> Prepared { get; } = [];

    /// <summary>Of each layer, whether that stays until its parameters change.</summary>
    public List<bool> KeepsPrepared { get; } = [];

    /// <summary>Null for layers that do not learn.</summary>
    public List<ArenaPlanner.Piece?> BackwardWorkspace { get; } = [];

    /// <summary>Of each layer's input; null where none is computed.</summary>
    public List<ArenaPlanner.Piece?> InputGradients { get; } = [];

    /// <summary>What they make of them without a way back; null where that is nothing.</summary>
    public List<PreparedParameters.Key?> Shared { get; } = [];

    /// <summary>Numbers of the plan's own block.</summary>
    public long Block { get; }

    /// <summary>Numbers of the block and of what is shared.</summary>
    public long Total => Block + Shared.Sum(s => s?.Length ?? 0);

    /// <param name="height">Of the images, also where the plan takes maps.</param>
    /// <param name="firstLearning">Index among the network's layers, which number at least so many.</param>
    /// <param name="training">Whether there is a way back.</param>
    /// <param name="pixels">Whether images come as 8-bit pixels; no matter where the plan takes maps.</param>
    /// <exception cref="UserErrorException">The images are too small, or too many for a buffer of a kernel.</exception>
    public static PlanLayout Of(Network network, PlanPart part, int maxImages, int height, int width, int firstLearning, bool training, bool pixels = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxImages, 1);
        int first = part == PlanPart.Learning ? firstLearning : 0, end = part == PlanPart.Frozen ? firstLearning : network.Layers.Count;
        var input = network.Layers.Take(first).Aggregate(new MapShape(height, width, 3), (shape, layer) => layer.Output(shape));
        List<Layer> layers = [.. network.Layers.Take(first..end)];
        pixels &= first == 0;
        int frozen = firstLearning - first;
        if (pixels && TakePixels(network, layers, input, training, learns: training && frozen == 0))
            frozen++;
        if (training)
            return new(network, layers, maxImages, input, frozen, pixels);
        layers = Fused(network.Device, layers, input);
        return new(network, layers, maxImages, input, layers.Count, pixels);
    }

    /// <summary>Puts in the first layer's place, or before it, what takes 8-bit pixels.</summary>
    /// <returns>Whether there is a layer more.</returns>
    private static bool TakePixels(Network network, List<Layer> layers, MapShape input, bool training, bool learns)
    {
        var numbers = network.Settings.Preprocessing.Numbers;
        var pooling = !training && layers.Count > 1 ? layers[1] as MaxPoolingLayer : null;
        if (pooling is not null && (layers[0] as ConvolutionLayer)?.FromPixels(numbers, pooling, network.Device, input, learns) is { } both)
        {
            layers.RemoveAt(0);
            layers[0] = both;
            return false;
        }
        if ((layers[0] as ConvolutionLayer)?.FromPixels(numbers, null, network.Device, input, learns) is { } first)
        {
            layers[0] = first;
            return false;
        }
        layers.Insert(0, new PixelLayer(numbers));
        return true;
    }

    /// <summary>Convolutions and poolings in one where the device has a kernel for it; the last layer stays itself, for pooling to descriptors stands there or maps are read off.</summary>
    private static List<Layer> Fused(Device device, List<Layer> layers, MapShape input)
    {
        var fused = new List<Layer>();
        for (int i = 0; i < layers.Count; i++)
        {
            if (i + 1 < layers.Count && layers[i] is ConvolutionLayer convolution && layers[i + 1] is MaxPoolingLayer pooling && convolution.With(pooling, device, input) is { } both)
            {
                fused.Add(both);
                i++;
            }
            else
                fused.Add(layers[i]);
            input = fused[^1].Output(input);
        }
        return fused;
    }

    /// <summary>The group that begins with a layer, or null.</summary>
    public BandedLayers? BandedFrom(int layer)
    {
        foreach (var banded in Banded)
            if (banded.First == layer)
                return banded;
        return null;
    }

    /// <summary>What a layer takes and makes.</summary>
    public LayerMaps Maps(int layer) => new(Shapes[layer], Bf16[layer], Bf16[layer + 1]);

    /// <summary>
    /// A map is kept in bf16 where the device rounds products to it and the layers on both sides can: what the next product would round is rounded before. The first and the last stay fp32, which
    /// the host writes and reads.
    /// </summary>
    private bool IsBf16(int map)
        => network.Device.Precision == Precision.Bf16 && map > 0 && map < Layers.Count
            && Layers[map - 1].MakesBf16(network.Device, Shapes[map - 1], map - 1 >= FirstTrained) && Layers[map].TakesBf16(network.Device, Shapes[map], map >= FirstTrained);

    /// <summary>Kernels count the numbers of a map in 32 bits.</summary>
    private void CheckSizes()
    {
        for (int i = 0; i < Shapes.Length; i++)
            if (MaxImages * Shapes[i].Length > int.MaxValue)
                throw new UserErrorException(
                    $"{MaxImages} images of {Shapes[0].Height}×{Shapes[0].Width} at once are too many for {(i == 0 ? "the input" : Layers[i - 1])}: take at most {int.MaxValue / Shapes.Max(s => s.Length)}, or smaller images.");
    }

    /// <summary>The largest need of any number of images: a smaller batch may be computed by another variant, with a need of its own.</summary>
    private long Most(Func<int, long> need) => Enumerable.Range(1, MaxImages).Max(need);
}
