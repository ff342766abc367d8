using IlgpuNetVlad.Engine.Layers;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Models;

/// <summary>
/// Layers that an image goes through band by band of rows, so that of the maps between them no more rows stand in memory than the next layer's band reads: the first maps of a network are many
/// times as large as all that follow, and rows that were just written are still in the last-level cache when they are read. Each layer keeps its tiles where they are in the whole map, so its
/// numbers are the same bit for bit.
/// </summary>
internal sealed class BandedLayers
{
    /// <summary>Numbers of an image's map that is worth it (21 MB): weights are read again for each band, which with smaller maps and more channels takes what it saves.</summary>
    private const long LeastBetween = 5 << 20;

    /// <summary>Pixels before pooling that a band has for each thread in the layer where it has fewest: ten blocks of the kernel's.</summary>
    private const int ThreadPixels = 3840;

    /// <summary>Rows of a band of the last layer's map, and of rings, are multiples of this: whole tiles.</summary>
    private const int Unit = 4;

    private readonly int[] rings;

    /// <param name="whole">Of each layer from <paramref name="first"/> on what it computes of a whole map.</param>
    private BandedLayers(int first, IReadOnlyList<ConvolutionBand> whole, List<Step> steps)
    {
        (First, End) = (first, first + whole.Count);
        rings = Rings(first, whole, steps);
        Steps = [.. steps.Select((s, i) => s with
        {
            Band = s.Band with { XRing = s.Layer == First ? s.Band.Convolution.H : Rows(s.Layer - 1), YRing = Rows(s.Layer) },
            After = After(steps, i),
        })];
    }

    /// <summary>A layer's rows of an image.</summary>
    /// <param name="After">So many steps, counted from the first, are over before this one begins.</param>
    public readonly record struct Step(int Layer, ConvolutionBand Band, int After);

    /// <summary>Index of the first layer.</summary>
    public int First { get; }

    /// <summary>Index behind the last layer.</summary>
    public int End { get; }

    /// <summary>In their order, for one image.</summary>
    public IReadOnlyList<Step> Steps { get; }

    /// <summary>Rows that stand in memory of what a layer makes; of the last one all.</summary>
    public int Rows(int layer) => rings[layer - First];

    /// <summary>Where such layers are in a plan without a way back.</summary>
    /// <param name="shapes">What each layer takes; one more, of the last layer's result.</param>
    public static IEnumerable<BandedLayers> Of(Device device, IReadOnlyList<Layer> layers, IReadOnlyList<MapShape> shapes)
    {
        for (int i = 0, end; i < layers.Count; i = Math.Max(end, i + 1))
        {
            var whole = new List<ConvolutionBand>();
            for (end = i; end < layers.Count && layers[end].Bands(device, shapes[end]) is { } band; end++)
            {
                whole.Add(band);
                if (shapes[end + 1].Length < LeastBetween)
                {
                    end++;
                    break;
                }
            }
            if (whole.Count > 1)
                yield return Of(device, i, whole);
        }
    }

    private static BandedLayers Of(Device device, int first, List<ConvolutionBand> whole)
    {
        int count = whole.Count, rows = BandRows(whole, device.Threads), mapRows = whole[^1].MapRows, bands = (mapRows + rows - 1) / rows;
        // Until which row, before pooling, a layer has come with a band of the last.
        var until = new int[bands, count];
        for (int band = 0; band < bands; band++)
            for (int i = count - 1, wanted = Math.Min(mapRows, (band + 1) * rows); i >= 0; i--)
            {
                int last = whole[i].Pooled != 0 ? 2 * wanted : wanted;
                until[band, i] = Math.Min(whole[i].Convolution.P, Up(last, Convolution.BandUnit(device, whole[i])));
                wanted = (whole[i] with { Rows = until[band, i] }).XEnd;
            }
        // A layer is a band ahead of the next, so that neighbours in this order do not wait for each other.
        var steps = new List<Step>();
        for (int turn = 0; turn < bands + count - 1; turn++)
            for (int i = Math.Max(0, turn - bands + 1); i <= Math.Min(turn, count - 1); i++)
            {
                int from = turn > i ? until[turn - i - 1, i] : 0, end = until[turn - i, i];
                if (end > from)
                    steps.Add(new(first + i, whole[i] with { First = from, Rows = end - from }, 0));
            }
        return new(first, whole, steps);
    }

    /// <summary>Rows of each layer's ring: those that it writes and those that steps from the one before on still read.</summary>
    private static int[] Rings(int first, IReadOnlyList<ConvolutionBand> whole, List<Step> steps)
    {
        var rings = new int[whole.Count];
        for (int i = 0; i < steps.Count; i++)
        {
            var (layer, band, _) = steps[i];
            int oldest = steps.Skip(Math.Max(0, i - 1)).Where(s => s.Layer == layer + 1).Select(s => s.Band.XFirst).DefaultIfEmpty(band.YFirst).Min();
            rings[layer - first] = Math.Max(rings[layer - first], band.YEnd - Math.Min(oldest, band.YFirst));
        }
        for (int i = 0; i < rings.Length; i++)
            rings[i] = i == rings.Length - 1 ? whole[i].MapRows : Math.Min(Up(rings[i], Unit), whole[i].MapRows);
        return rings;
    }

    /// <summary>How many steps must be over before one: those that write what it reads, and those that read what stands where it writes.</summary>
    private int After(List<Step> steps, int index)
    {
        var (layer, band, _) = steps[index];
        int overwritten = band.YEnd - Rows(layer);
        for (int before = index - 1; before >= 0; before--)
        {
            var (other, part, _) = steps[before];
            if (other == layer - 1 && part.YFirst < band.XEnd && part.YEnd > band.XFirst || other == layer + 1 && part.XFirst < overwritten)
                return before + 1;
        }
        return 0;
    }

    private static int BandRows(List<ConvolutionBand> whole, int threads)
    {
        int fewest = int.MaxValue, scale = 1;
        for (int i = whole.Count - 1; i >= 0; i--)
        {
            // Rows before pooling that a row of the last map is made of.
            scale *= whole[i].Pooled != 0 ? 2 : 1;
            fewest = Math.Min(fewest, scale * whole[i].Convolution.Q);
        }
        return Up((ThreadPixels * threads + fewest - 1) / fewest, Unit);
    }

    private static int Up(int rows, int unit) => (rows + unit - 1) / unit * unit;
}
