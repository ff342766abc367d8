using System.Runtime.CompilerServices;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// <see cref="HostConvolution"/> where groups have at most 8 channels out and few in, as in networks of many narrow groups: the same sums, by <see cref="TallTile"/>.
/// <para>
/// A tile is a strip of output pixels of one image and so many groups as share a cache line of the output. Their inputs are copied with padding and mask, each group's for itself: where all groups' channels stand
/// together a group's pixels lie a large power of two apart as often as not, which few sets of the L1 cache hold. Then 12 pixels of a row at a time the groups follow each other, so that a line of the output is written
/// while it is near; the last 12 of a row end with it, and some of them are computed twice. Scratch of a worker: the groups' strips.
/// </para>
/// </summary>
internal readonly unsafe struct HostGroupedConvolution : IHostTask
{
    /// <summary>Output pixels of a strip, about: its inputs and the weights stay in the L1 cache, rows that strips share are not copied too often.</summary>
    private const int StripPixels = 576;

    /// <summary>Rows of k whose weights stay in the L1 cache beside the strip.</summary>
    private const int MostDepth = 256;

    private readonly HostStrip strip;
    private readonly HostPhase phase;
    private readonly float* packed, bias, output, scratch;
    private readonly int images, outRows, outColumns, groups, groupIn, groupOut, outPitch, stripRows, stripColumns;
    private readonly bool relu;
    private readonly HostLiveImages? live;

    /// <param name="strip">Of all groups.</param>
    /// <param name="scratch"><see cref="WorkerScratch"/> for each thread.</param>
    public HostGroupedConvolution(HostLiveImages? live, HostStrip strip, HostPhase phase, float* packed, float* bias, bool relu, float* output, float* scratch,
        int images, int outRows, int outColumns, int groups, int groupIn, int groupOut, int outPitch)
    {
        this.live = live;
        this.strip = strip;
        this.phase = phase;
        this.packed = packed;
        this.bias = bias;
        this.relu = relu;
        this.output = output;
        this.scratch = scratch;
        this.images = images;
        this.outRows = outRows;
        this.outColumns = outColumns;
        this.groups = groups;
        this.groupIn = groupIn;
        this.groupOut = groupOut;
        this.outPitch = outPitch;
        (stripRows, stripColumns) = StripSize(strip, phase, groupIn);
    }

    /// <summary>Whether it takes such a problem.</summary>
    public static bool Takes(in HostStrip strip, in HostPhase phase, int groups, int groupIn, int groupOut)
        => groups > 1 && strip.Pixels == null && TallTile.Takes(groupOut, groupIn * strip.Step) && phase.TapRows * phase.TapColumns * groupIn is > 0 and <= MostDepth
            && phase.Columns >= TallTile.Rows;

    /// <summary>Floats of scratch of one worker.</summary>
    public static long WorkerScratch(in HostStrip strip, in HostPhase phase, int groupIn, int groupOut)
    {
        var (rows, columns) = StripSize(strip, phase, groupIn);
        return Together(groupOut) * StripFloats(strip, rows, columns, groupIn);
    }

    public int Tiles => images * RowStrips * ColumnStrips * Tasks;

    /// <summary>Groups of a task.</summary>
    private static int Together(int groupOut) => Math.Max(1, HostPrefetch.Line / groupOut);

    private int Tasks => (groups + Together(groupOut) - 1) / Together(groupOut);

    private int RowStrips => (phase.Rows + stripRows - 1) / stripRows;

    private int ColumnStrips => (phase.Columns + stripColumns - 1) / stripColumns;

    /// <summary>Of one group, whole cache lines.</summary>
    private static long StripFloats(in HostStrip strip, int rows, int columns, int groupIn)
        => ((long)strip.Rows(rows) * strip.Columns(columns) * groupIn + HostPrefetch.Line - 1) / HostPrefetch.Line * HostPrefetch.Line;

    /// <summary>Output rows and columns of a strip. No strip is narrower than a tile: of columns that are cut the last strip has at least half of the others'.</summary>
    private static (int Rows, int Columns) StripSize(in HostStrip strip, in HostPhase phase, int groupIn)
        => HostConvolution.StripSize(strip.OfGroup(0, groupIn), phase.Rows, phase.Columns, StripPixels);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(int tile, int worker)
    {
        int together = Together(groupOut), first = tile % Tasks * together, last = Math.Min(groups, first + together), place = tile / Tasks;
        int image = place / (RowStrips * ColumnStrips), within = place % (RowStrips * ColumnStrips);
        if (live is { } some)
            image = some[image];
        int row = within / ColumnStrips * stripRows, column = within % ColumnStrips * stripColumns;
        int rows = Math.Min(stripRows, phase.Rows - row), columns = Math.Min(stripColumns, phase.Columns - column);
        long targetPitch = (long)phase.Step * outPitch * outColumns, one = StripFloats(strip, stripRows, stripColumns, groupIn);
        float* target = output + (((long)image * outRows + phase.Row + row * phase.Step) * outColumns + phase.Column + column * phase.Step) * outPitch;
        float* input = scratch + worker * together * one;
        for (int group = first; group < last; group++)
            strip.OfGroup(group, groupIn).Fill(input + (group - first) * one, image, row, rows, column, columns);

        int depth = phase.TapRows * phase.TapColumns * groupIn, width = HostPanels.Width(groupOut), distance = groupIn * strip.Step, step = phase.Step * outPitch;
        int pitch = strip.Columns(columns) * groupIn;
        var taps = new HostRuns(phase.TapRows, phase.TapColumns * groupIn, pitch);
        for (int i = 0; i < rows; i++, input += pitch * strip.Step, target += targetPitch)
            for (int j = 0; j < columns; j += TallTile.Rows)
            {
                int at = Math.Min(j, columns - TallTile.Rows);
                float* from = input + at * distance, to = target + (long)at * step;
                for (int group = first; group < last; group++, from += one)
                    TallTile.Multiply(distance, from, taps, packed + (long)group * depth * width, width, bias == null ? null : bias + group * groupOut, relu, to + group * groupOut, step, groupOut);
            }
    }
}
