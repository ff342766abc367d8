using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// The Host variant of 3×3 and 5×5 convolutions by <see cref="Winograd"/>: forward, and backward for data, which is the forward pass of the masked dy with the filters
/// turned and their channels swapped.
/// <para>
/// A worker takes a block of up to 24 or 48 tiles, of whatever images. It transforms all input channels of the block into its own scratch V [point][tile][channel];
/// then, panel of 64 output channels by panel, multiplies V by the transformed weights at each of the 36 points through <see cref="RegisterTile"/> into M
/// [point][tile][64], which stays in the L2 cache, and transforms M to outputs with bias and ReLU, and takes the maxima of 2×2 where pooling follows: then
/// the map before it is never written. Weights are transformed once a call, or once for many calls (<see cref="Preparation{TProblem}"/>). 2.25 multiply-adds an
/// output and channel pair instead of 9 with 3×3 taps, 9 instead of 25 with 5×5; V is read once a panel, the weights of a panel once a block: 12 or 24 FLOPs for each byte of them.
/// Every sum over channels is one chain in order: no result depends on blocks, batch or threads. A NaN reaches all outputs of the tiles that read it.
/// </para>
/// </summary>
internal readonly unsafe struct HostWinograd<TFilter> : IHostTask
    where TFilter : struct, IWinogradFilter
{
    /// <summary>
    /// Tiles of a block at most, a multiple of the rows of a register tile. Few keep V and M near the L2 cache's size; with many channels more of them pay, for
    /// each block reads all weights, 36·Ic·Oc numbers, from farther away.
    /// </summary>
    private static int MaxBlock(int channels) => channels <= 256 ? 24 : 48;

    private readonly float* input, mask, packed, bias, output, scratch;
    private readonly int images, rows, columns, channels, pitch, outRows, outColumns, outChannels, outPitch, padding, block;
    private readonly bool relu, pooled;

    /// <summary>Of the way back, where <see cref="images"/> counts those alone.</summary>
    private readonly HostLiveImages? live;

    private HostWinograd(HostLiveImages? live, float* input, float* mask, int images, int rows, int columns, int channels, int pitch, int padding, float* packed, float* bias, bool relu, bool pooled,
        float* output, int outRows, int outColumns, int outChannels, int outPitch, float* workspace, int threads)
    {
        this.live = live;
        this.input = input;
        this.mask = mask;
        this.images = images;
        this.rows = rows;
        this.columns = columns;
        this.channels = channels;
        this.pitch = pitch;
        this.padding = padding;
        this.packed = packed;
        this.bias = bias;
        this.relu = relu;
        this.pooled = pooled;
        this.output = output;
        this.outRows = outRows;
        this.outColumns = outColumns;
        this.outChannels = outChannels;
        this.outPitch = outPitch;
        scratch = workspace;
        block = Block(Tiles, threads, MaxBlock(channels));
    }

    /// <summary>Tiles of a block such that all threads get as many.</summary>
    private static int Block(long tiles, int threads, int most)
    {
        long rounds = (tiles + (long)threads * most - 1) / ((long)threads * most);
        long each = (tiles + threads * rounds - 1) / (threads * rounds);
        return (int)((each + RegisterTile.Rows - 1) / RegisterTile.Rows * RegisterTile.Rows);
    }

    private int TileRows => WinogradFilter<TFilter>.Tiles(outRows);

    private int TileColumns => WinogradFilter<TFilter>.Tiles(outColumns);

    private long Tiles => (long)images * TileRows * TileColumns;

    /// <summary>Floats from one point of V to the next; not a multiple of 4 KiB, where all points would fall into the same lines of the L1 cache.</summary>
    private static long PointStep(int tiles, int width) => (long)tiles * width + 16;

    private static long WorkerFloats(int channels)
        => (channels + 15) / 16 * 16 + Winograd.Points * (PointStep(MaxBlock(channels), channels) + PointStep(MaxBlock(channels), HostPanels.MaxWidth)) + TFilter.Tile * TFilter.Tile * 16;

    public static long ForwardWorkspace(Device device, ConvolutionShape s) => device.Threads * WorkerFloats(s.Ic);

    /// <summary>Floats of transformed weights.</summary>
    public static long Prepared(Device device, ConvolutionShape s) => WinogradWeightPacking<TFilter>.Length(s.Ic, s.Oc);

    public static long BackwardDataWorkspace(Device device, ConvolutionShape s)
        => HostLiveImages.Floats(s.B) + WinogradWeightPacking<TFilter>.Length(s.Oc, s.Ic) + device.Threads * WorkerFloats(s.Oc);

    public static void Prepare(Device device, in ConvolutionShape s, float* w, float* prepared)
    {
        var packing = new WinogradWeightPacking<TFilter>(w, prepared, s, backward: false);
        device.RunHost(packing.Tiles, packing);
    }

    /// <param name="pooled">y is [B, P/2, Q/2, Oc], maxima of 2×2.</param>
    public static void Forward(Device device, in ConvolutionShape s, bool pooled, float* x, float* b, float* y, float* prepared, float* workspace)
        => new HostWinograd<TFilter>(null, x, null, s.B, s.H, s.W, s.Ic, s.Ic, s.Padding, prepared, b, s.Relu != 0, pooled, y, s.P, s.Q, s.Oc, s.YPitch, workspace, device.Threads).Run(device);

    public static void BackwardData(Device device, in ConvolutionShape s, float* w, float* y, float* dy, float* dx, float* workspace)
    {
        var live = new HostLiveImages(device, s, dy, workspace);
        workspace += HostLiveImages.Floats(s.B);
        live.ClearOthers(device, dx, (long)s.H * s.W * s.Ic);
        if (live.Count == 0)
            return;
        var packing = new WinogradWeightPacking<TFilter>(w, workspace, s, backward: true);
        device.RunHost(packing.Tiles, packing);
        new HostWinograd<TFilter>(live, dy, s.Relu != 0 ? y : null, live.Count, s.P, s.Q, s.Oc, s.YPitch, TFilter.Taps - 1 - s.Padding, workspace, null, false, false, dx, s.H, s.W, s.Ic, s.Ic,
            workspace + WinogradWeightPacking<TFilter>.Length(s.Oc, s.Ic), device.Threads).Run(device);
    }

    private void Run(Device device) => device.RunHost((int)((Tiles + block - 1) / block), this);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(int tile, int worker)
    {
        long first = (long)tile * block;
        int tiles = (int)Math.Min(block, Tiles - first);
        float* zeros = scratch + worker * WorkerFloats(channels);
        new Span<float>(zeros, channels).Clear();
        float* transformed = zeros + (channels + 15) / 16 * 16;
        long inStep = PointStep(block, channels);
        float* products = transformed + Winograd.Points * inStep;
        for (int t = 0; t < tiles; t++)
            Read(first + t, zeros, transformed + (long)t * channels, inStep);

        // The last register tile reaches beyond the block: it repeats a row, and those products are never read.
        int* offsets = stackalloc int[block];
        for (int t = 0; t < block; t++)
            offsets[t] = Math.Min(t, tiles - 1) * channels;
        var run = HostRuns.One(channels);
        long weightStep = (long)channels * HostPanels.Padded(outChannels);
        for (int start = 0, width; start < outChannels; start += width)
        {
            width = HostPanels.Width(outChannels - start);
            long outStep = PointStep(block, width);
            float* panel = packed + (long)channels * start;
            for (int q = 0; q < Winograd.Points; q++)
                for (int t = 0; t < tiles; t += RegisterTile.Rows)
                    HostPanels.MultiplyRuns(width, transformed + q * inStep, offsets + t, run, panel + q * weightStep, products + q * outStep + (long)t * width, false);
            for (int t = 0; t < tiles; t++)
                Write(first + t, products + (long)t * width, outStep, start, Math.Min(width, outChannels - start), products + Winograd.Points * outStep);
        }
    }

    private (int Image, int Row, int Column) Place(long tile)
    {
        long line = tile / TileColumns;
        int image = (int)(line / TileRows);
        return (live is { } some ? some[image] : image, (int)(line % TileRows) * TFilter.Tile, (int)(tile % TileColumns) * TFilter.Tile);
    }

    private void Read(long tile, float* zeros, float* to, long step)
    {
        float** pixels = stackalloc float*[2 * Winograd.Points];
        float** masks = mask == null ? null : pixels + Winograd.Points;
        var (image, row, column) = Place(tile);
        for (int i = 0; i < Winograd.Patch; i++)
            for (int j = 0; j < Winograd.Patch; j++)
            {
                int h = row + i - padding, w = column + j - padding;
                bool inside = (uint)h < (uint)rows && (uint)w < (uint)columns;
                long at = (((long)image * rows + h) * columns + w) * pitch;
                pixels[i * Winograd.Patch + j] = inside ? input + at : zeros;
                if (mask != null)
                    masks[i * Winograd.Patch + j] = inside ? mask + at : zeros;
            }
        if (Vector512.IsHardwareAccelerated)
            WinogradTransforms.Input<Vector512<float>, HostVector512>(pixels, masks, channels, to, (nint)step);
        else if (Vector256.IsHardwareAccelerated)
            WinogradTransforms.Input<Vector256<float>, HostVector256>(pixels, masks, channels, to, (nint)step);
        else
            WinogradTransforms.Input<Vector128<float>, HostVector128>(pixels, masks, channels, to, (nint)step);
    }

    /// <param name="channel">The panel's first output channel.</param>
    /// <param name="used">Columns of the panel that are channels.</param>
    private void Write(long tile, float* from, long step, int channel, int used, float* pixels)
    {
        if (Vector512.IsHardwareAccelerated)
            Write<Vector512<float>, HostVector512>(tile, from, step, channel, used, pixels);
        else if (Vector256.IsHardwareAccelerated)
            Write<Vector256<float>, HostVector256>(tile, from, step, channel, used, pixels);
        else
            Write<Vector128<float>, HostVector128>(tile, from, step, channel, used, pixels);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Write<TVector, TOps>(long tile, float* from, long step, int channel, int used, float* pixels)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
    {
        var (image, row, column) = Place(tile);
        int lanes = TOps.Count, height = Math.Min(TFilter.Tile, outRows - row), width = Math.Min(TFilter.Tile, outColumns - column);
        int mapRows = outRows, mapColumns = outColumns;
        if (pooled)
        {
            // An odd row or column at the end has no window. Tiles begin at even places, so each window lies in one tile.
            (height, width, row, column, mapRows, mapColumns) = (height / 2, width / 2, row / 2, column / 2, outRows / 2, outColumns / 2);
        }
        float* tileStart = output + (((long)image * mapRows + row) * mapColumns + column) * outPitch + channel;
        for (int c = 0; c < used; c += lanes)
        {
            WinogradTransforms.Output<TVector, TOps, TFilter>(from + c, (nint)step, pixels);
            if (pooled)
                Pool<TVector, TOps>(pixels);
            int count = Math.Min(lanes, used - c);
            for (int i = 0; i < height; i++)
                for (int j = 0; j < width; j++)
                {
                    float* to = tileStart + ((long)i * mapColumns + j) * outPitch + c, pixel = pixels + (i * TFilter.Tile + j) * lanes;
                    if (count == lanes)
                    {
                        var value = TOps.Load(pixel);
                        if (bias != null)
                            value = TOps.Add(value, TOps.Load(bias + channel + c));
                        if (relu)
                            value = TOps.Max(value, default);
                        TOps.Store(value, to);
                    }
                    else
                        HostPanels.Finish(pixel, lanes, bias == null ? null : bias + channel + c, relu, to, outPitch, 1, count);
                }
        }
    }

    /// <summary>
    /// The maxima of 2×2 take the places of the tile's upper left quarter. Before bias and ReLU: both keep the order of numbers, also rounded, so the results are
    /// those of pooling afterwards.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Pool<TVector, TOps>(float* pixels)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
    {
        int lanes = TOps.Count;
        for (int i = 0; i < TFilter.Tile / 2; i++)
            for (int j = 0; j < TFilter.Tile / 2; j++)
            {
                float* window = pixels + (2 * i * TFilter.Tile + 2 * j) * lanes, below = window + TFilter.Tile * lanes;
                TOps.Store(
                    TOps.Max(TOps.Max(TOps.Load(window), TOps.Load(window + lanes)), TOps.Max(TOps.Load(below), TOps.Load(below + lanes))),
                    pixels + (i * TFilter.Tile + j) * lanes);
            }
    }
}
