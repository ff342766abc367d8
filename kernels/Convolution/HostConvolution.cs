using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// The Host variant of a convolution's forward pass, and of its backward pass for data, which is a convolution too: of the masked dy with the
/// weights turned by 180° and their channels swapped, in stride² phases (<see cref="HostPhase"/>).
/// <para>
/// A tile is a strip of output pixels of one image. Its inputs are copied with their padding into a scratch that stays in the L2 cache; then,
/// panel of output channels by panel, chunk of k by chunk, 6 pixels at a time go through <see cref="RegisterTile"/>, the last chunk through <see cref="FinishedTile"/>. In NHWC the taps of one
/// kernel row are neighbours in memory, so k is R runs of S·Ic (R·S runs of Ic/Groups with groups): no im2col matrix exists. Weights are packed
/// once a call into panels. Scratch of a worker: one strip and one panel of sums.
/// </para>
/// </summary>
internal readonly unsafe struct HostConvolution : IHostTask
{
    /// <summary>Output pixels of a strip, about: enough to use each packed weight often, few enough for the cache.</summary>
    private const int StripPixels = 144;

    /// <summary>Where a pixel takes few products, a strip has up to so many pixels, lest a strip's set-up take as long as these products.</summary>
    private const int MostStripPixels = 4 * StripPixels, StripProducts = 1 << 19;

    /// <summary>
    /// With fewer channels a strip has up to so many pixels whatever a pixel takes: rows of the image that neighbouring strips share are copied for each of them, and large filters share many
    /// (11×11 with stride 4: 0.92 to 0.97 of the time, without AVX-512 0.89).
    /// </summary>
    private const int FewChannels = 16;

    /// <summary>Floats of a copied strip that still leave the L2 cache room for weights.</summary>
    private const int StripFloats = 64 * 1024;

    /// <summary>Rows of k whose weights (64 columns wide) take at most a quarter of a 1 MiB L2 cache.</summary>
    private const int ChunkRows = 1024;

    /// <summary>Weights that stand in half of the L1 cache.</summary>
    private const int TogetherFloats = 4096;

    private readonly HostStrip strip;
    private readonly HostPhase phase;
    private readonly float* packed, bias, output, scratch;

    /// <summary>Rows of the phase that are computed: in a band fewer, cut into strips as the whole is, so that bands that run at the same time share the workspace in the same way.</summary>
    private readonly int rows;
    private readonly int images, outRows, outColumns, groups, groupIn, groupOut, outPitch;
    private readonly int stripRows, stripColumns;
    private readonly bool relu;

    /// <summary>Of the way back, where <see cref="images"/> counts those alone.</summary>
    private readonly HostLiveImages? live;

    private HostConvolution(HostLiveImages? live, HostStrip strip, HostPhase phase, float* packed, float* bias, bool relu, float* output, float* scratch,
        int images, int outRows, int outColumns, int groups, int groupIn, int groupOut, int outPitch, int? bandRows = null)
    {
        this.live = live;
        this.strip = strip;
        this.phase = phase;
        rows = bandRows ?? phase.Rows;
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
        (stripRows, stripColumns) = StripSize(strip, phase, groups, groupIn, groupOut);
    }

    private static (int Rows, int Columns) StripSize(in HostStrip strip, in HostPhase phase, int groups, int groupIn, int groupOut)
    {
        long products = Math.Max(1, (long)phase.TapRows * phase.TapColumns * groups * groupIn * groupOut);
        // And at least 16 strips of a map, so that many threads find work.
        int most = Math.Clamp(phase.Rows * phase.Columns / 16, StripPixels, MostStripPixels);
        return StripSize(strip, phase.Rows, phase.Columns, strip.Channels < FewChannels ? most : (int)Math.Clamp(StripProducts / products, StripPixels, most));
    }

    /// <summary>Output rows and columns of a strip.</summary>
    internal static (int Rows, int Columns) StripSize(in HostStrip strip, int outRows, int outColumns, int pixels = StripPixels)
    {
        int columns = outColumns;
        if (columns > pixels)
        {
            int parts = (columns + pixels - 1) / pixels;
            columns = (columns + parts - 1) / parts;
        }
        int rows = Math.Clamp(pixels / columns, 1, outRows);
        while (rows > 1 && strip.Rows(rows) * strip.Columns(columns) * strip.Channels > StripFloats)
            rows--;
        return (rows, columns);
    }

    /// <summary>Floats of scratch of one worker.</summary>
    private static long WorkerScratch(in HostStrip strip, in HostPhase phase, int groups, int groupIn, int groupOut)
    {
        var (rows, columns) = StripSize(strip, phase, groups, groupIn, groupOut);
        long copied = strip.IsDirect(phase.Rows, phase.Columns) ? 0 : (long)strip.Rows(rows) * strip.Columns(columns) * strip.Channels;
        long sums = (rows * columns + RegisterTile.Rows) * (long)HostPanels.MaxWidth;
        return (copied + sums + 31) / 16 * 16;
    }

    private static long PackedLength(in HostPhase phase, int groups, int groupIn, int groupOut)
        => (long)groups * phase.TapRows * phase.TapColumns * groupIn * HostPanels.Padded(groupOut);

    public static long ForwardWorkspace(Device device, ConvolutionShape s) => ForwardWorkspace(device, s, ForwardStrip(s, null));

    /// <param name="strip">Of <see cref="ForwardStrip(in ConvolutionShape, float*)"/>.</param>
    public static long ForwardWorkspace(Device device, in ConvolutionShape s, in HostStrip strip) => device.Threads * AnyScratch(strip, HostPhase.Forward(s), s.Groups, s.GroupIc, s.GroupOc);

    /// <summary>Of the task that takes the problem.</summary>
    private static long AnyScratch(in HostStrip strip, in HostPhase phase, int groups, int groupIn, int groupOut)
        => HostGroupedConvolution.Takes(strip, phase, groups, groupIn, groupOut) ? HostGroupedConvolution.WorkerScratch(strip, phase, groupIn, groupOut) : WorkerScratch(strip, phase, groups, groupIn, groupOut);

    /// <summary>Floats of packed weights.</summary>
    public static long Prepared(Device device, ConvolutionShape s) => PackedLength(HostPhase.Forward(s), s.Groups, s.GroupIc, s.GroupOc);

    /// <summary>The phases follow each other, so the largest one decides.</summary>
    public static long BackwardDataWorkspace(Device device, ConvolutionShape s)
    {
        long most = 0;
        for (int i = 0; i < s.Stride * s.Stride; i++)
        {
            var phase = HostPhase.Backward(s, i);
            // A mask makes a strip a copy; any address serves to say so.
            if (phase.Rows > 0 && phase.Columns > 0)
                most = Math.Max(most, PackedLength(phase, s.Groups, s.GroupOc, s.GroupIc)
                    + device.Threads * AnyScratch(BackwardStrip(s, phase, null, s.Relu != 0 ? (float*)1 : null), phase, s.Groups, s.GroupOc, s.GroupIc));
        }
        return HostLiveImages.Floats(s.B) + most;
    }

    internal static HostStrip ForwardStrip(in ConvolutionShape s, float* x)
        => new(x, null, s.H, s.W, s.Ic, s.Ic, s.Stride, s.Padding, s.Padding, s.R, s.S);

    /// <summary>Of a band, whose strips are copies: the part of the image above it is no padding that could be left out.</summary>
    private static HostStrip ForwardStrip(in ConvolutionBand band, float* x)
    {
        var s = band.Convolution;
        var strip = new HostStrip(band.FromPixels != 0 ? null : x, null, s.H, s.W, s.Ic, s.Ic, s.Stride, s.Padding - band.First * s.Stride, s.Padding, s.R, s.S) { Ring = band.XRing };
        // Any address serves to say that the source is pixels.
        return band.FromPixels != 0 ? strip with { Pixels = x == null ? (byte*)1 : (byte*)x, Numbers = band.Numbers } : strip;
    }

    public static long ForwardWorkspace(Device device, ConvolutionBand band)
        => device.Threads * WorkerScratch(ForwardStrip(band, null), HostPhase.Forward(band.Convolution), band.Convolution.Groups, band.Convolution.GroupIc, band.Convolution.GroupOc);

    /// <summary>A band whose rows of the result stand in two parts of a ring is computed in two.</summary>
    /// <param name="after">As of <see cref="HostSequence.Add"/>.</param>
    public static void Forward(HostSequence sequence, int after, in ConvolutionBand band, float* x, float* b, float* y, float* prepared, float* workspace)
    {
        var s = band.Convolution;
        for (int done = 0, rows; done < band.Rows; done += rows)
        {
            int place = (band.First + done) % band.YRing;
            rows = Math.Min(band.Rows - done, band.YRing - place);
            var part = band with { First = band.First + done, Rows = rows };
            var task = new HostConvolution(
                null, ForwardStrip(part, x), HostPhase.Forward(s), prepared, b, s.Relu != 0, y + (long)place * s.Q * s.Oc, workspace, 1, s.P, s.Q, s.Groups, s.GroupIc, s.GroupOc, s.Oc, rows);
            sequence.Add(task.Tiles, task, after);
        }
    }

    internal static HostStrip ForwardStrip(in PixelConvolutionShape s, byte* pixels) => ForwardStrip(s.Convolution, null) with { Pixels = pixels, Numbers = s.Numbers };

    private static HostStrip BackwardStrip(in ConvolutionShape s, in HostPhase phase, float* dy, float* mask)
        => new(dy, mask, s.P, s.Q, s.Oc, s.YPitch, 1, phase.PadTop, phase.PadLeft, phase.TapRows, phase.TapColumns);

    public static void Prepare(Device device, in ConvolutionShape s, float* w, float* prepared)
    {
        var packing = new HostWeightPacking(w, prepared, s, HostPhase.Forward(s), backward: false);
        device.RunHost(packing.Tiles, packing);
    }

    /// <param name="strip">Of <see cref="ForwardStrip(in ConvolutionShape, float*)"/>.</param>
    public static void Forward(Device device, in ConvolutionShape s, in HostStrip strip, float* b, float* y, float* prepared, float* workspace)
    {
        var phase = HostPhase.Forward(s);
        if (HostGroupedConvolution.Takes(strip, phase, s.Groups, s.GroupIc, s.GroupOc))
        {
            var grouped = new HostGroupedConvolution(null, strip, phase, prepared, b, s.Relu != 0, y, workspace, s.B, s.P, s.Q, s.Groups, s.GroupIc, s.GroupOc, s.YPitch);
            device.RunHost(grouped.Tiles, grouped);
            return;
        }
        var task = new HostConvolution(null, strip, phase, prepared, b, s.Relu != 0, y, workspace, s.B, s.P, s.Q, s.Groups, s.GroupIc, s.GroupOc, s.YPitch);
        device.RunHost(task.Tiles, task);
    }

    public static void BackwardData(Device device, in ConvolutionShape s, float* w, float* y, float* dy, float* dx, float* workspace)
    {
        var live = new HostLiveImages(device, s, dy, workspace);
        workspace += HostLiveImages.Floats(s.B);
        live.ClearOthers(device, dx, (long)s.H * s.W * s.Ic);
        for (int i = 0; i < s.Stride * s.Stride && live.Count > 0; i++)
        {
            var phase = HostPhase.Backward(s, i);
            if (phase.Rows == 0 || phase.Columns == 0)
                continue;
            var packing = new HostWeightPacking(w, workspace, s, phase, backward: true);
            device.RunHost(packing.Tiles, packing);
            var strip = BackwardStrip(s, phase, dy, s.Relu != 0 ? y : null);
            float* scratch = workspace + PackedLength(phase, s.Groups, s.GroupOc, s.GroupIc);
            if (HostGroupedConvolution.Takes(strip, phase, s.Groups, s.GroupOc, s.GroupIc))
            {
                var grouped = new HostGroupedConvolution(live, strip, phase, workspace, null, false, dx, scratch, live.Count, s.H, s.W, s.Groups, s.GroupOc, s.GroupIc, s.Ic);
                device.RunHost(grouped.Tiles, grouped);
                continue;
            }
            var task = new HostConvolution(live, strip, phase, workspace, null, false, dx, scratch, live.Count, s.H, s.W, s.Groups, s.GroupOc, s.GroupIc, s.Ic);
            device.RunHost(task.Tiles, task);
        }
    }

    private int RowStrips => (rows + stripRows - 1) / stripRows;

    private int ColumnStrips => (phase.Columns + stripColumns - 1) / stripColumns;

    private int Tiles => images * RowStrips * ColumnStrips;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(int tile, int worker)
    {
        int image = tile / (RowStrips * ColumnStrips), within = tile % (RowStrips * ColumnStrips);
        if (live is { } some)
            image = some[image];
        int row = within / ColumnStrips * stripRows, column = within % ColumnStrips * stripColumns;
        int rows = Math.Min(stripRows, this.rows - row), columns = Math.Min(stripColumns, phase.Columns - column);
        int kernelRows = phase.TapRows, kernelColumns = phase.TapColumns, step = phase.Step * outPitch;
        long targetPitch = (long)step * outColumns;
        float* target = output + (((long)image * outRows + phase.Row + row * phase.Step) * outColumns + phase.Column + column * phase.Step) * outPitch;
        if (kernelRows * kernelColumns == 0)
        {
            for (int i = 0; i < rows; i++)
                for (int j = 0; j < columns; j++)
                    new Span<float>(target + i * targetPitch + (long)j * step, groups * groupOut).Clear();
            return;
        }

        float* sums = scratch + worker * WorkerScratch(strip, phase, groups, groupIn, groupOut);
        float* input;
        int pitch;
        if (strip.IsDirect(phase.Rows, phase.Columns))
            input = strip.Direct(image, row, column, out pitch);
        else
        {
            input = sums + (long)(stripRows * stripColumns + RegisterTile.Rows) * HostPanels.MaxWidth;
            strip.Fill(input, image, row, rows, column, columns);
            pitch = strip.Columns(columns) * strip.Channels;
        }

        // The last tile reaches beyond the strip: it repeats a pixel, and those sums are never read or are that pixel's once more.
        int pixels = rows * columns;
        int* offsets = stackalloc int[pixels + RegisterTile.Rows - 1];
        int at = 0;
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++)
                offsets[at++] = (i * pitch + j * strip.Channels) * strip.Step;
        new Span<int>(offsets + pixels, RegisterTile.Rows - 1).Fill(offsets[pixels - 1]);
        Multiply(input, pitch, rows, columns, offsets, target, targetPitch, sums);
    }

    /// <summary>
    /// The products of a strip. Sums leave the registers finished, and panels whose weights fit in the L1 cache together follow each other for one tile of pixels, whose outputs then stand side by side.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Multiply(float* input, int pitch, int rows, int columns, int* offsets, float* target, long targetPitch, float* sums)
    {
        int pixels = rows * columns, step = phase.Step * outPitch, at = 0;
        int* places = stackalloc int[pixels + 2 * RegisterTile.Rows];
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++)
                places[at++] = (int)(i * targetPitch) + j * step;
        new Span<int>(places + pixels, 2 * RegisterTile.Rows).Fill(places[pixels - 1]);

        // With one group the taps of a kernel row are one run; with several, each tap is, and a kernel row is the most that one step apart reaches.
        bool joined = groups == 1;
        int runs = joined ? phase.TapRows : phase.TapRows * phase.TapColumns, runLength = joined ? phase.TapColumns * groupIn : groupIn, depth = runs * runLength;
        int chunkRuns = Math.Max(1, Math.Min(joined ? phase.TapRows : phase.TapColumns, ChunkRows / runLength));
        // A 1×1 convolution reads the image once from end to end, and the processor's own foresight ends at each pixel. A tile of AVX-512 is over sooner than a line is there, so two tiles ahead.
        bool ahead = runs == 1 && phase.TapColumns == 1 && strip.Step == 1 && strip.IsDirect(phase.Rows, phase.Columns);
        for (int group = 0; group < groups; group++)
        {
            float* panels = packed + (long)group * depth * HostPanels.Padded(groupOut), biases = bias == null ? null : bias + group * groupOut, to = target + group * groupOut;
            for (int start = 0, end; start < groupOut; start = end)
            {
                end = start + HostPanels.Width(groupOut - start);
                while (chunkRuns >= runs && end < groupOut && depth * (end - start + HostPanels.Width(groupOut - end)) <= TogetherFloats)
                    end += HostPanels.Width(groupOut - end);
                bool asks = ahead && HostPanels.FinishedAsks(HostPanels.Width(groupOut - start));
                for (int run = 0, count; run < runs; run += count)
                {
                    var taps = new HostRuns(count = Math.Min(chunkRuns, joined ? runs - run : phase.TapColumns - run % phase.TapColumns), runLength, joined ? pitch : strip.Channels);
                    float* from = input + group * groupIn + (joined ? run * pitch : run / phase.TapColumns * pitch + run % phase.TapColumns * strip.Channels);
                    bool last = run + count == runs;
                    for (int pixel = 0; pixel < pixels; pixel += RegisterTile.Rows)
                    {
                        if (last && !asks)
                            // Outputs of the next tile come nearer while this one is made; else storing them would wait for each line.
                            for (int i = pixel + RegisterTile.Rows; i < pixel + 2 * RegisterTile.Rows; i++)
                                HostPrefetch.Far(to + places[i] + start, end - start);
                        if (ahead && start == 0 && Vector512.IsHardwareAccelerated)
                            HostPrefetch.Near(from + offsets[pixel] + 2 * RegisterTile.Rows * runLength, RegisterTile.Rows * runLength);
                        else if (ahead && start == 0 && !asks)
                            HostPrefetch.Far(from + offsets[pixel] + RegisterTile.Rows * runLength, RegisterTile.Rows * runLength);
                        for (int column = start, width; column < end; column += width)
                        {
                            width = HostPanels.Width(groupOut - column);
                            float* b = panels + (long)column * depth + (long)run * runLength * width, made = sums + (last && run == 0 ? 0 : (long)pixel * width);
                            if (last && groupOut - column == MixedTile.Columns && MixedTile.Takes(groupOut - column))
                            {
                                MixedTile.MultiplyFinished(from, offsets + pixel, taps, b, run == 0 ? null : made, biases == null ? null : biases + column, relu, to + column, places + pixel);
                                continue;
                            }
                            if (last && column + width <= groupOut)
                            {
                                HostPanels.MultiplyFinished(width, from, offsets + pixel, taps, b, run == 0 ? null : made, biases == null ? null : biases + column, relu,
                                    to + column, places + pixel, asks, asks && column == 0 ? from + offsets[pixel] + RegisterTile.Rows * runLength : null);
                                continue;
                            }
                            if (MixedTile.Takes(groupOut - column))
                                MixedTile.MultiplyRuns(from, offsets + pixel, taps, b, made, run > 0);
                            else
                                HostPanels.MultiplyRuns(width, from, offsets + pixel, taps, b, made, run > 0);
                            if (last)
                                Finish(made, width, pixel, Math.Min(pixels, pixel + RegisterTile.Rows), columns, group * groupOut + column, groupOut - column, target, targetPitch);
                        }
                    }
                }
            }
        }
    }

    /// <summary>Sums of a register tile go to the output while they are in the L1 cache, line by line of the strip.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Finish(float* from, int width, int pixel, int end, int columns, int channel, int used, float* target, long targetPitch)
    {
        int step = phase.Step * outPitch;
        for (int count; pixel < end; pixel += count, from += count * width)
        {
            int line = pixel / columns, column = pixel - line * columns;
            count = Math.Min(end - pixel, columns - column);
            HostPanels.Finish(from, width, bias == null ? null : bias + channel, relu, target + line * targetPitch + (long)column * step + channel, step, count, used);
        }
    }
}
