using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// The Host variant of a direct convolution whose result is pooled at once, in windows that may overlap: first layers, whose map is several times as large as all that follow.
/// <para>
/// A tile is a band of pooled rows of one image. Rows of the convolution are computed one after the other, as <see cref="HostConvolution"/> computes them, into a ring of as many rows as a
/// window has, 64 channels at a time, which stays in the L2 cache; whenever a window's last row is there, the maxima of its row of windows go out with bias and ReLU, which keep the
/// order of numbers. Rows that two bands' windows share are computed twice. Scratch of a worker: the ring, and the input of some rows.
/// </para>
/// </summary>
internal readonly unsafe struct HostWindowedConvolution : IHostTask
{
    /// <summary>Bands of pooled rows for each thread of an image alone: few, for each computes up to a window's rows again.</summary>
    private const int BandsOfAThread = 4;

    /// <summary>See <see cref="CopiedRows"/>; in floats a part of the second-level cache.</summary>
    private const int MostCopiedRows = 8, CopiedFloats = 32 * 1024;

    /// <summary>Rows of k at most: all weights of a panel are read for each row of the map.</summary>
    private const int MostDepth = 1024;

    private readonly WindowedConvolutionShape w;
    private readonly ConvolutionShape s;
    private readonly HostStrip strip;
    private readonly float* packed, bias, output, scratch;
    private readonly int bandRows;

    private HostWindowedConvolution(in WindowedConvolutionShape w, int threads, in HostStrip strip, float* packed, float* bias, float* y, float* scratch)
    {
        this.w = w;
        s = w.Convolution;
        this.strip = strip;
        this.packed = packed;
        this.bias = bias;
        output = y;
        this.scratch = scratch;
        int bands = Math.Max(1, BandsOfAThread * threads / s.B);
        bandRows = Math.Max(w.Window, (w.Pooling.P + bands - 1) / bands);
    }

    public static string? Refuses(WindowedConvolutionShape w)
        => w.Convolution.Groups != 1 ? "takes one group"
            : w.Convolution.R * w.Convolution.S * w.Convolution.Ic > MostDepth ? "takes filters of 1024 numbers or less for each output channel" : null;

    /// <summary>Floats of a row of the ring; the last register tile reaches beyond the row.</summary>
    private static long RowFloats(in ConvolutionShape s) => (s.Q + RegisterTile.Rows) * (long)HostPanels.MaxWidth;

    /// <summary>Rows of the convolution whose input is copied at once: rows of it that they share are copied once.</summary>
    private static int CopiedRows(in ConvolutionShape s, in HostStrip strip)
    {
        int rows = Math.Min(MostCopiedRows, s.P);
        while (rows > 1 && (long)strip.Rows(rows) * strip.Columns(s.Q) * strip.Channels > CopiedFloats)
            rows--;
        return rows;
    }

    private static long WorkerScratch(in WindowedConvolutionShape w, in HostStrip strip)
    {
        long copied = strip.IsDirect(w.Convolution.P, w.Convolution.Q) ? 0 : (long)strip.Rows(CopiedRows(w.Convolution, strip)) * strip.Columns(w.Convolution.Q) * strip.Channels;
        return HostPanels.MaxWidth + w.Window * RowFloats(w.Convolution) + (copied + 15) / 16 * 16;
    }

    public static long Workspace(Device device, WindowedConvolutionShape w) => Workspace(device, w, HostConvolution.ForwardStrip(w.Convolution, null));

    /// <param name="strip">Of <see cref="HostConvolution.ForwardStrip(in ConvolutionShape, float*)"/>.</param>
    public static long Workspace(Device device, in WindowedConvolutionShape w, in HostStrip strip) => device.Threads * WorkerScratch(w, strip);

    /// <inheritdoc cref="Workspace(Device, in WindowedConvolutionShape, in HostStrip)"/>
    public static void Forward(Device device, in WindowedConvolutionShape w, in HostStrip strip, float* b, float* y, float* prepared, float* workspace)
    {
        if (w.Convolution.B == 0)
            return;
        var task = new HostWindowedConvolution(w, device.Threads, strip, prepared, b, y, workspace);
        device.RunHost(w.Convolution.B * task.Bands, task);
    }

    private int Bands => (w.Pooling.P + bandRows - 1) / bandRows;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(int tile, int worker)
    {
        int image = tile / Bands, first = tile % Bands * bandRows, end = Math.Min(w.Pooling.P, first + bandRows);
        float* pooled = scratch + worker * WorkerScratch(w, strip), ring = pooled + HostPanels.MaxWidth;
        int* offsets = stackalloc int[s.Q + RegisterTile.Rows - 1];
        for (int q = 0; q < s.Q + RegisterTile.Rows - 1; q++)
            offsets[q] = Math.Min(q, s.Q - 1) * s.Ic * s.Stride;
        float* panel = packed;
        bool direct = strip.IsDirect(s.P, s.Q);
        int copiedRows = CopiedRows(s, strip);
        for (int start = 0, width; start < s.Oc; start += width)
        {
            width = BlockWidth(s.Oc - start);
            int ready = first * w.Step, copiedFrom = ready, copied = 0, last = Math.Min((end - 1) * w.Step + w.Window, s.P);
            for (int row = first; row < end; row++)
            {
                int bottom = Math.Min(row * w.Step + w.Window, s.P);
                for (; ready < bottom; ready++)
                {
                    float* from = ring + w.Window * RowFloats(s);
                    int pitch = strip.Columns(s.Q) * s.Ic;
                    if (direct)
                        from = strip.Direct(image, ready, 0, out pitch);
                    else
                    {
                        if (ready >= copiedFrom + copied)
                        {
                            copiedFrom = ready;
                            copied = Math.Min(copiedRows, last - ready);
                            strip.Fill(from, image, ready, copied, 0, s.Q);
                        }
                        from += (long)(ready - copiedFrom) * strip.Step * pitch;
                    }
                    ConvolveRow(from, pitch, offsets, panel, start, width, ring + ready % w.Window * RowFloats(s));
                }
                float* to = output + (((long)image * w.Pooling.P + row) * w.Pooling.Q) * s.Oc + start;
                if (Vector512.IsHardwareAccelerated && s.Oc - start == MixedTile.Columns)
                {
                    PoolRow<Vector512<float>, HostVector512>(ring, row * w.Step, bottom, start, width, 0, HostVector512.Count, pooled, to);
                    PoolRow<Vector256<float>, HostVector256>(ring, row * w.Step, bottom, start, width, HostVector512.Count, MixedTile.Columns, pooled, to);
                }
                else if (Vector512.IsHardwareAccelerated)
                    PoolRow<Vector512<float>, HostVector512>(ring, row * w.Step, bottom, start, width, 0, width, pooled, to);
                else if (IsFinished(start, width))
                    PoolFinishedRow(ring, row * w.Step, bottom, width, to);
                else if (Vector256.IsHardwareAccelerated)
                    PoolRow<Vector256<float>, HostVector256>(ring, row * w.Step, bottom, start, width, 0, width, pooled, to);
                else
                    PoolRow<Vector128<float>, HostVector128>(ring, row * w.Step, bottom, start, width, 0, width, pooled, to);
            }
            panel += (long)s.R * s.S * s.Ic * width;
        }
    }

    /// <summary>Channels that are done together: a panel, or with narrow vectors as many panels as the ring has room for, lest the input of a row be copied for each.</summary>
    private static int BlockWidth(int remaining)
    {
        int width = HostPanels.Width(remaining);
        if (!Vector512.IsHardwareAccelerated)
            while (width < remaining && width + HostPanels.Width(remaining - width) <= HostPanels.MaxWidth)
                width += HostPanels.Width(remaining - width);
        return width;
    }

    /// <summary>
    /// Whether numbers come to the ring with bias and ReLU, on machines without AVX-512: then none is below zero or −0, so they have the order of their bits as integers, NaN above all, and a
    /// maximum is one instruction instead of seven.
    /// </summary>
    private bool IsFinished(int start, int width) => !Vector512.IsHardwareAccelerated && s.Relu != 0 && start + width <= s.Oc;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void ConvolveRow(float* from, int pitch, int* offsets, float* panels, int start, int width, float* to)
    {
        var taps = new HostRuns(s.R, s.S * s.Ic, pitch);
        if (Vector512.IsHardwareAccelerated)
        {
            bool mixed = MixedTile.Takes(s.Oc - start);
            for (int q = 0; q < s.Q; q += RegisterTile.Rows)
                if (mixed)
                    MixedTile.MultiplyRuns(from, offsets + q, taps, panels, to + (long)q * width, false);
                else
                    HostPanels.MultiplyRuns(width, from, offsets + q, taps, panels, to + (long)q * width, false);
            return;
        }
        bool finished = IsFinished(start, width);
        int* places = stackalloc int[RegisterTile.Rows];
        for (int i = 0; i < RegisterTile.Rows; i++)
            places[i] = i * width;
        for (int column = 0, panel; column < width; column += panel)
        {
            panel = HostPanels.Width(s.Oc - start - column);
            float* b = panels + (long)column * s.R * s.S * s.Ic, biases = finished && bias != null ? bias + start + column : null;
            for (int q = 0; q < s.Q; q += RegisterTile.Rows)
                HostPanels.MultiplyFinished(panel, from, offsets + q, taps, b, null, biases, finished, to + (long)q * width + column, places);
        }
    }

    /// <summary>The end of a window's columns, which may reach beyond the map.</summary>
    private int Right(int left) => Math.Min(left + w.Window, s.Q);

    /// <summary>One row of windows over the rows <paramref name="top"/> … <paramref name="bottom"/> of the map, of a panel's columns <paramref name="channel"/> … <paramref name="end"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void PoolRow<TVector, TOps>(float* ring, int top, int bottom, int start, int width, int channel, int end, float* pooled, float* to)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
    {
        int used = s.Oc - start, columns = w.Pooling.Q, rows = bottom - top;
        float** lines = stackalloc float*[w.Window];
        for (int i = 0; i < rows; i++)
            lines[i] = ring + (top + i) % w.Window * RowFloats(s);
        for (int q = 0; q < columns; q++, to += s.Oc)
        {
            int left = q * w.Step, right = Right(left);
            for (int c = channel; c < end; c += TOps.Count)
            {
                nint from = (nint)left * width + c, until = (nint)right * width + c;
                var most = TOps.Load(lines[0] + from);
                for (int i = 0; i < rows; i++)
                    for (nint at = from; at < until; at += width)
                        most = TOps.Max(most, TOps.Load(lines[i] + at));
                if (used < end)
                {
                    TOps.Store(most, pooled + c);
                    continue;
                }
                if (bias != null)
                    most = TOps.Add(most, TOps.Load(bias + start + c));
                if (s.Relu != 0)
                    most = TOps.Max(most, default);
                TOps.Store(most, to + c);
            }
            if (used < end)
                HostPanels.Finish(pooled, width, bias == null ? null : bias + start, s.Relu != 0, to, s.Oc, 1, used);
        }
    }

    /// <summary>As <see cref="PoolRow"/>, of numbers that came finished.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void PoolFinishedRow(float* ring, int top, int bottom, int width, float* to)
    {
        int columns = w.Pooling.Q, rows = bottom - top;
        uint** lines = stackalloc uint*[w.Window];
        for (int i = 0; i < w.Window; i++)
            lines[i] = (uint*)(ring + (top + Math.Min(i, rows - 1)) % w.Window * RowFloats(s));
        for (int q = 0; q < columns; q++, to += s.Oc)
        {
            int left = q * w.Step, right = Right(left);
            for (int c = 0; c < width; c += HostSimd.Lanes)
            {
                nint from = (nint)left * width + c, end = (nint)right * width + c;
                if (Vector256.IsHardwareAccelerated)
                {
                    var most = Vector256<uint>.Zero;
                    for (int i = 0; i < rows; i++)
                        for (nint at = from; at < end; at += width)
                            most = Vector256.Max(most, Vector256.Load(lines[i] + at));
                    most.Store((uint*)to + c);
                }
                else
                {
                    var most = Vector128<uint>.Zero;
                    for (int i = 0; i < rows; i++)
                        for (nint at = from; at < end; at += width)
                            most = Vector128.Max(most, Vector128.Load(lines[i] + at));
                    most.Store((uint*)to + c);
                }
            }
        }
    }
}
