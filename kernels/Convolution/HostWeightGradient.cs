using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// The Host variant of a convolution's backward pass for weights and bias: an outer product summed over pixels. The strips of all images, in order,
/// are dealt to a number of slices that the shape alone decides; each slice sums its strips in order into its own partial result, and a second
/// pass adds the slices in order; images whose dy is zero are passed over (<see cref="HostLiveImages"/>). So neither threads nor timing touch the sums. Within a strip, dy (masked) and x (with its padding) are copied next to the core;
/// 6 neighbouring weights × a panel of output channels stay in registers while the strip's pixels go by.
/// </summary>
internal readonly unsafe struct HostWeightGradient : IHostTask
{
    /// <summary>
    /// Slices at most; strips that a slice must have, else clearing and adding partial results costs more than it wins; and the floats that all
    /// partial results may take together.
    /// </summary>
    private const int MaxSlices = 16;
    private const int SliceStrips = 3;
    private const long PartialFloats = 16L * 1024 * 1024;

    /// <summary>Output channels that one tile takes: large layers get more tiles, and each keeps its part of the sums in the L2 cache.</summary>
    private const int BlockChannels = 128;

    private readonly ConvolutionShape s;
    private readonly HostStrip strip;
    private readonly HostLiveImages live;
    private readonly float* y, dy, partial, scratch;
    private readonly int slices, stripRows, stripColumns;

    private HostWeightGradient(in ConvolutionShape s, HostLiveImages live, in HostStrip strip, float* y, float* dy, float* workspace)
    {
        this.s = s;
        this.live = live;
        this.y = s.Relu != 0 ? y : null;
        this.dy = dy;
        this.strip = strip;
        (stripRows, stripColumns) = HostConvolution.StripSize(strip, s.P, s.Q);
        slices = Slices(s);
        partial = workspace;
        scratch = workspace + slices * SliceFloats(s);
    }

    /// <summary>Weights of one output channel.</summary>
    private static int Weights(in ConvolutionShape s) => s.R * s.S * s.GroupIc;

    /// <summary>Rows of a partial result: those weights, rounded up to whole register tiles, and one for the bias.</summary>
    private static int PartialRows(in ConvolutionShape s) => (Weights(s) + RegisterTile.Rows - 1) / RegisterTile.Rows * RegisterTile.Rows + 1;

    private static int Runs(in ConvolutionShape s) => s.Groups == 1 ? s.R : s.R * s.S;

    private static int RunLength(in ConvolutionShape s) => s.Groups == 1 ? s.S * s.Ic : s.GroupIc;

    private static long SliceFloats(in ConvolutionShape s) => (long)PartialRows(s) * s.Groups * HostPanels.Padded(s.GroupOc);

    private static int Strips(in ConvolutionShape s)
    {
        var (rows, columns) = HostConvolution.StripSize(HostConvolution.ForwardStrip(s, null), s.P, s.Q);
        return s.B * ((s.P + rows - 1) / rows) * ((s.Q + columns - 1) / columns);
    }

    private static int Slices(in ConvolutionShape s)
        => (int)Math.Max(1, Math.Min(Math.Min(MaxSlices, Strips(s) / SliceStrips), PartialFloats / SliceFloats(s)));

    private static int Blocks(in ConvolutionShape s) => (s.GroupOc + BlockChannels - 1) / BlockChannels;

    private static long WorkerScratch(in ConvolutionShape s, in HostStrip strip)
    {
        var (rows, columns) = HostConvolution.StripSize(strip, s.P, s.Q);
        long copied = strip.IsDirect(s.P, s.Q) ? 0 : (long)strip.Rows(rows) * strip.Columns(columns) * strip.Channels;
        return (copied + (long)rows * columns * HostPanels.Padded(Math.Min(s.GroupOc, BlockChannels)) + 31) / 16 * 16;
    }

    public static long Workspace(Device device, ConvolutionShape s) => Workspace(device, s, HostConvolution.ForwardStrip(s, null));

    /// <param name="strip">Of <see cref="HostConvolution.ForwardStrip(in ConvolutionShape, float*)"/>.</param>
    public static long Workspace(Device device, in ConvolutionShape s, in HostStrip strip)
        => HostLiveImages.Floats(s.B) + Slices(s) * SliceFloats(s) + device.Threads * WorkerScratch(s, strip);

    /// <inheritdoc cref="Workspace(Device, in ConvolutionShape, in HostStrip)"/>
    public static void Run(Device device, in ConvolutionShape s, in HostStrip strip, float* y, float* dy, float* dw, float* db, float* workspace)
    {
        var live = new HostLiveImages(device, s, dy, workspace);
        workspace += HostLiveImages.Floats(s.B);
        var task = new HostWeightGradient(s, live, strip, y, dy, workspace);
        device.RunHost(task.slices * s.Groups * Blocks(s), task);
        device.RunHost(Runs(s) + 1, new Sum(s, workspace, task.slices, dw, db));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(int tile, int worker)
    {
        int slice = tile / (s.Groups * Blocks(s)), group = tile / Blocks(s) % s.Groups, firstChannel = tile % Blocks(s) * BlockChannels;
        int channels = Math.Min(BlockChannels, s.GroupOc - firstChannel), padded = HostPanels.Padded(channels);
        int stride = s.Groups * HostPanels.Padded(s.GroupOc);
        float* sums = partial + slice * SliceFloats(s) + group * HostPanels.Padded(s.GroupOc) + firstChannel;
        for (int i = 0; i < PartialRows(s); i++)
            new Span<float>(sums + (long)i * stride, padded).Clear();

        int rowStrips = (s.P + stripRows - 1) / stripRows, columnStrips = (s.Q + stripColumns - 1) / stripColumns;
        long strips = (long)s.B * rowStrips * columnStrips;
        float* gradient = scratch + worker * WorkerScratch(s, strip);
        float* copied = gradient + (long)stripRows * stripColumns * HostPanels.Padded(Math.Min(s.GroupOc, BlockChannels));
        for (long unit = strips * slice / slices; unit < strips * (slice + 1) / slices; unit++)
        {
            int image = (int)(unit / (rowStrips * columnStrips)), within = (int)(unit % (rowStrips * columnStrips));
            if (!live.Contains(image))
                continue;
            int row = within / columnStrips * stripRows, column = within % columnStrips * stripColumns;
            int rows = Math.Min(stripRows, s.P - row), columns = Math.Min(stripColumns, s.Q - column);
            CopyGradient(gradient, image, row, column, rows * columns, group * s.GroupOc + firstChannel, channels);
            float* input;
            int pitch;
            if (strip.IsDirect(s.P, s.Q))
                input = strip.Direct(image, row, column, out pitch);
            else
            {
                strip.Fill(input = copied, image, row, rows, column, columns);
                pitch = strip.Columns(columns) * s.Ic;
            }
            Accumulate(input + group * s.GroupIc, pitch, gradient, rows, columns, channels, sums, stride);
        }
    }

    /// <summary>Floats from one pixel of a panel of dy to the next.</summary>
    private static int PanelWidth(int left) => left == MixedTile.Columns && MixedTile.Takes(left) ? left : HostPanels.Width(left);

    /// <summary>Where a weight's first input stands in the strip: in NHWC the weights of one kernel row, or in groups of one tap, are neighbours.</summary>
    private int InputOf(int weight, int pitch)
    {
        int run = weight / RunLength(s), within = weight % RunLength(s);
        return within + (s.Groups == 1 ? run * pitch : run / s.S * pitch + run % s.S * s.Ic);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Accumulate(float* input, int pitch, float* gradient, int rows, int columns, int channels, float* sums, int stride)
    {
        int weights = Weights(s);
        nint nextRow = (nint)s.Stride * pitch;
        int* offsets = stackalloc int[RegisterTile.Rows];
        for (int first = 0; first < weights; first += RegisterTile.Rows)
        {
            // A tile beyond the last weight repeats it into rows that are never read.
            int from = InputOf(first, pitch);
            for (int i = 0; i < RegisterTile.Rows; i++)
                offsets[i] = InputOf(Math.Min(first + i, weights - 1), pitch) - from;
            float* to = sums + (long)first * stride;
            for (int start = 0, width; start < channels; start += width)
            {
                width = PanelWidth(channels - start);
                float* panel = gradient + (long)rows * columns * start;
                if (MixedTile.Takes(channels - start))
                    MixedTile.MultiplyOuter(input + from, offsets, rows, nextRow, columns, s.Stride * s.Ic, panel, width, to + start, stride);
                else
                    HostPanels.MultiplyOuter(width, input + from, offsets, rows, nextRow, columns, s.Stride * s.Ic, panel, width, to + start, stride);
            }
        }
        for (int start = 0, width; start < channels; start += width)
        {
            width = PanelWidth(channels - start);
            HostPanels.SumRows(gradient + (long)rows * columns * start, width, rows * columns, sums + (long)(PartialRows(s) - 1) * stride + start, width);
        }
    }

    /// <summary>The strip's masked dy as panels [panel][pixel][width], padded channels zero; pixels of a strip follow each other in dy.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void CopyGradient(float* to, int image, int row, int column, int pixels, int channel, int channels)
    {
        long first = (((long)image * s.P + row) * s.Q + column) * s.YPitch + channel;
        // Without AVX-512 panels are a line wide: each pixel goes to all of them at once, for a panel's pixels lie in lines apart, which the processor does not foresee.
        int part = Vector512.IsHardwareAccelerated ? pixels : 1;
        for (int done = 0; done < pixels; done += part)
            for (int start = 0, width; start < channels; start += width)
            {
                width = PanelWidth(channels - start);
                if (width == s.YPitch)
                {
                    HostMask.Copy(dy, y, first, to, pixels * width);
                    return;
                }
                int used = Math.Min(width, channels - start);
                float* panel = to + (long)pixels * start + (long)done * width;
                for (int pixel = done; pixel < done + part; pixel++, panel += width)
                {
                    HostMask.Copy(dy, y, first + (long)pixel * s.YPitch + start, panel, used);
                    if (used < width)
                        new Span<float>(panel + used, width - used).Clear();
                }
            }
    }

    /// <summary>Adds the slices in order; one tile takes one run of weights, the last one the bias.</summary>
    private readonly struct Sum(ConvolutionShape s, float* partial, int slices, float* dw, float* db) : IHostTask
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int tile, int worker)
        {
            int padded = HostPanels.Padded(s.GroupOc), stride = s.Groups * padded, length = RunLength(s);
            bool isBias = tile == Runs(s);
            int rows = isBias ? s.HasBias : length;
            for (int i = 0; i < rows; i++)
            {
                long row = isBias ? PartialRows(s) - 1 : tile * length + i;
                float* to = isBias ? db : dw + ((long)tile * length + i) * s.Oc;
                for (int group = 0; group < s.Groups; group++)
                {
                    float* target = to + group * s.GroupOc;
                    new Span<float>(target, s.GroupOc).Clear();
                    HostPanels.SumRows(partial + row * stride + group * padded, SliceFloats(s), slices, target, s.GroupOc);
                }
            }
        }
    }
}
