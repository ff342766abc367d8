using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// The Host variant of 3×3 and 5×5 convolutions by <see cref="Winograd"/>: forward, and backward for data, which is the forward pass of the masked dy with the filters
/// turned and their channels swapped.
/// <para>
/// A worker takes a block of up to 24 or 48 tiles, of whatever images, as many blocks as each other worker. It transforms all input channels of the block into its own scratch V [point][tile][channel];
/// then, panel of 64 output channels by panel, multiplies V by the transformed weights at each of the 36 points through <see cref="RegisterTile"/> into M
/// [point][tile][64], which stays in the L2 cache, and transforms M to outputs with bias and ReLU, and takes the maxima of 2×2 where pooling follows: then
/// the map before it is never written. Weights are transformed once a call, or once for many calls (<see cref="Preparation{TProblem}"/>). 2.25 multiply-adds an
/// output and channel pair instead of 9 with 3×3 taps, 3 in half tiles, 9 instead of 25 with 5×5; V is read once a panel, the weights of a panel once a block: 12 or 24 FLOPs for each byte of them.
/// Every sum over channels is one chain in order: no result depends on blocks, batch or threads. A NaN reaches all outputs of the tiles that read it.
/// </para>
/// </summary>
internal readonly unsafe partial struct HostWinograd<TFilter> : IHostTask
    where TFilter : struct, IWinogradFilter
{
    /// <summary>
    /// Tiles of a block at most, a multiple of the rows of a register tile. Few keep V and M near the L2 cache's size; with many weights, 36·Ic·Oc numbers that each block reads from farther away, more of
    /// them pay: with many channels, and from few to many, where V is small (48 to 192 and 64 to 256 on 29×39: 0.91 and 0.96 of the time).
    /// </summary>
    private static int MaxBlock(int channels, int outChannels) => channels > 256 || channels <= 64 && outChannels > 128 ? 48 : 24;

    private readonly float* input, mask, packed, bias, output, scratch;
    private readonly int images, rows, columns, channels, pitch, outRows, outColumns, outChannels, outPitch, padding, threads, blocks;
    private readonly bool relu, pooled;

    /// <summary>Rows of whole tiles: the last row may be one of half tiles, which follow all images' whole ones.</summary>
    private readonly int wholeTileRows;

    /// <summary>Of a band: the first row of tiles of each image, and their number; rows of the rings that input and output are, which of whole maps are the maps'.</summary>
    private readonly int firstTileRow, tileRows, inRing, outRing;

    /// <summary>Of the way back, where <see cref="images"/> counts those alone.</summary>
    private readonly HostLiveImages? live;

    private HostWinograd(HostLiveImages? live, float* input, float* mask, int images, int rows, int columns, int channels, int pitch, int padding, float* packed, float* bias, bool relu, bool pooled,
        float* output, int outRows, int outColumns, int outChannels, int outPitch, float* workspace, int threads, in ConvolutionBand? band = null)
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
        this.threads = threads;
        (tileRows, inRing, outRing) = (WinogradFilter<TFilter>.Tiles(outRows), rows, MapRows);
        if (band is { } some)
            (firstTileRow, tileRows, inRing, outRing) = (some.First / TFilter.Tile, WinogradFilter<TFilter>.Tiles(some.Rows), some.XRing, some.YRing);
        bool endsInHalf = WinogradFilter<TFilter>.EndsInHalf(outRows, channels, outChannels) && firstTileRow + tileRows == WinogradFilter<TFilter>.Tiles(outRows);
        wholeTileRows = endsInHalf ? tileRows - 1 : tileRows;
        long each = (long)threads * MaxBlock(channels, outChannels) / RegisterTile.Rows;
        blocks = (int)Math.Min((RegisterTiles + each - 1) / each * threads, RegisterTiles);
    }

    /// <summary>Rows of the map that is written.</summary>
    private int MapRows => pooled ? outRows / 2 : outRows;

    /// <summary>Pixels that a tile writes along a side.</summary>
    private int Side => pooled ? TFilter.Tile / 2 : TFilter.Tile;

    private int MapColumns => pooled ? outColumns / 2 : outColumns;

    private int TileColumns => WinogradFilter<TFilter>.Tiles(outColumns);

    private long Tiles => (long)images * tileRows * TileColumns;

    private long WholeTiles => (long)images * wholeTileRows * TileColumns;

    private long RegisterTiles => (Tiles + RegisterTile.Rows - 1) / RegisterTile.Rows;

    /// <summary>Tiles of the largest block.</summary>
    private int Block => (int)((RegisterTiles + blocks - 1) / blocks) * RegisterTile.Rows;

    /// <summary>The first tile of a block: whole register tiles, dealt evenly, and as many blocks to each thread.</summary>
    private long First(long block) => Math.Min(RegisterTiles * block / blocks * RegisterTile.Rows, Tiles);

    /// <summary>Floats from one point of V to the next; not a multiple of 4 KiB, where all points would fall into the same lines of the L1 cache.</summary>
    private static long PointStep(int tiles, int width) => (long)tiles * width + 16;

    private static long WorkerFloats(int channels, int outChannels)
        => Winograd.Points * (PointStep(MaxBlock(channels, outChannels), channels) + PointStep(MaxBlock(channels, outChannels), HostPanels.MaxWidth)) + TFilter.Tile * TFilter.Tile * 16;

    public static long ForwardWorkspace(Device device, ConvolutionShape s) => device.Threads * WorkerFloats(s.Ic, s.Oc);

    /// <summary>Floats of transformed weights.</summary>
    public static long Prepared(Device device, ConvolutionShape s) => WinogradWeightPacking<TFilter>.Length(s.Ic, s.Oc);

    public static long BackwardDataWorkspace(Device device, ConvolutionShape s)
        => HostLiveImages.Floats(s.B) + WinogradWeightPacking<TFilter>.Length(s.Oc, s.Ic) + device.Threads * WorkerFloats(s.Oc, s.Ic);

    public static void Prepare(Device device, in ConvolutionShape s, float* w, float* prepared)
    {
        var packing = new WinogradWeightPacking<TFilter>(w, prepared, s, backward: false);
        device.RunHost(packing.Tiles, packing);
    }

    /// <param name="pooled">y is [B, P/2, Q/2, Oc], maxima of 2×2.</param>
    public static void Forward(Device device, in ConvolutionShape s, bool pooled, float* x, float* b, float* y, float* prepared, float* workspace)
        => new HostWinograd<TFilter>(null, x, null, s.B, s.H, s.W, s.Ic, s.Ic, s.Padding, prepared, b, s.Relu != 0, pooled, y, s.P, s.Q, s.Oc, s.YPitch, workspace, device.Threads).Run(device);

    /// <summary>Tiles keep their places, so each has the numbers that it has in the whole map.</summary>
    /// <param name="after">As of <see cref="HostSequence.Add"/>.</param>
    public static void Forward(Device device, HostSequence sequence, int after, in ConvolutionBand band, float* x, float* b, float* y, float* prepared, float* workspace)
    {
        var s = band.Convolution;
        var task = new HostWinograd<TFilter>(
            null, x, null, 1, s.H, s.W, s.Ic, s.Ic, s.Padding, prepared, b, s.Relu != 0, band.Pooled != 0, y, s.P, s.Q, s.Oc, s.Oc, workspace, device.Threads, band);
        sequence.Add(task.blocks, task, after);
    }

    /// <summary>Why a band is not computed so, or null.</summary>
    public static string? Refuses(ConvolutionBand band)
    {
        if (WinogradFilter<TFilter>.Refuses(band.Convolution) is { } refused)
            return refused;
        int side = band.Pooled != 0 ? TFilter.Tile / 2 : TFilter.Tile;
        return band.FromPixels != 0 ? "takes numbers"
            : band.First % TFilter.Tile != 0 || band.Rows % TFilter.Tile != 0 && band.First + band.Rows < band.Convolution.P || band.YRing % side != 0 && band.YRing < band.MapRows
                ? $"takes bands and rings of whole tiles of {TFilter.Tile} rows" : null;
    }

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

    private void Run(Device device) => device.RunHost(blocks, this);

    public void Run(int tile, int worker)
    {
        if (HostPanels.TakesBlocks(channels, outChannels))
            RunBlocks(tile, worker);
        else
            RunRows(tile, worker);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RunRows(int tile, int worker)
    {
        int block = Block;
        long first = First(tile);
        int tiles = (int)(First(tile + 1) - first), whole = (int)Math.Clamp(WholeTiles - first, 0, tiles);
        float* transformed = scratch + worker * WorkerFloats(channels, outChannels);
        long inStep = PointStep(block, channels);
        float* products = transformed + Winograd.Points * inStep;
        for (int t = 0; t < tiles;)
            t += Read<WinogradRows>(first, t, tiles - t, transformed, inStep);

        // The last register tile reaches beyond the block: it repeats a row, and those products are never read.
        int* offsets = stackalloc int[block];
        for (int t = 0; t < block; t++)
            offsets[t] = Math.Min(t, tiles - 1) * channels;
        var spots = stackalloc Spot[tiles];
        for (int t = 0; t < tiles; t++)
            spots[t] = Find(first + t);

        // While a worker multiplies it asks for what it will need: weights, rows of V and the outputs that it will write. Not for the next block's input, which would be gone again: the transform asks for its own.
        int calls = LateGroups(whole, tiles);
        long weightStep = WinogradWeightPacking<TFilter>.PointStep(channels, outChannels);
        for (int start = 0, width; start < outChannels; start += width)
        {
            width = HostPanels.Width(outChannels - start);
            long outStep = PointStep(block, width);
            bool mixed = MixedTile.Takes(outChannels - start);
            float* panel = packed + (long)channels * start, nextPanel = packed + (start + width < outChannels ? (long)channels * (start + width) : 0);
            var outputs = new OutputAhead(spots, start, width, tiles * Side, calls);
            for (int q = 0, after; q < Winograd.Points; q = after)
            {
                after = PointAfter(q, whole);
                int used = Winograd.IsFar(q) ? whole : tiles;
                float* v = transformed + q * inStep, weights = panel + q * weightStep;
                float* next = after < Winograd.Points ? panel + after * weightStep : nextPanel, end = next + (long)channels * width;
                for (int t = 0; t < used; t += RegisterTile.Rows, next += (long)channels * HostPrefetch.Line)
                {
                    if (q >= FirstLate)
                        outputs.Call(this);
                    float* nextRows = t + RegisterTile.Rows < used ? v + (long)(t + RegisterTile.Rows) * channels : transformed + after * inStep;
                    if (mixed)
                        MixedTile.MultiplyRuns(v, offsets + t, HostRuns.One(channels), weights, products + q * outStep + (long)t * width, false);
                    else
                        HostPanels.MultiplyAhead(width, v, offsets + t, channels, weights, products + q * outStep + (long)t * width, nextRows, next < end ? next : weights);
                }
            }
            for (int t = 0; t < tiles; t++)
                Write(spots[t], t >= whole, products + (long)t * width, outStep, start, Math.Min(width, outChannels - start), products + Winograd.Points * outStep);
        }
    }

    /// <summary>Register tiles from <see cref="FirstLate"/> on, of a block that begins with so many whole tiles.</summary>
    private static int LateGroups(int whole, int tiles) => Winograd.Far * Groups(whole) + (Winograd.Points - FirstLate - Winograd.Far) * Groups(tiles);

    private static int Groups(int tiles) => (tiles + RegisterTile.Rows - 1) / RegisterTile.Rows;

    /// <summary>The point that follows one: a block of half tiles alone has no products at the far ones.</summary>
    private static int PointAfter(int point, int whole) => whole == 0 && point == Winograd.FirstFar - 1 ? point + 1 + Winograd.Far : point + 1;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private (int Image, int Row, int Column) Place(long tile)
    {
        long line = tile / TileColumns, halves = line - (long)images * wholeTileRows;
        int image = (int)(halves < 0 ? line / wholeTileRows : halves), row = halves < 0 ? (int)(line % wholeTileRows) : wholeTileRows;
        return (live is { } some ? some[image] : image, (firstTileRow + row) * TFilter.Tile, (int)(tile % TileColumns) * TFilter.Tile);
    }

    /// <summary>Transforms tiles of a block from its <paramref name="first"/> one on as far as they stand side by side.</summary>
    /// <returns>Their number.</returns>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int Read<TLayout>(long block, int first, int tiles, float* to, long step)
        where TLayout : struct, IWinogradLayout
    {
        float** lines = stackalloc float*[2 * Winograd.Patch], masks = mask == null ? null : lines + Winograd.Patch;
        float* inside = stackalloc float[Winograd.Patch];
        var (image, row, column) = Place(block + first);
        tiles = Math.Min(tiles, TileColumns - column / TFilter.Tile);
        bool half = block + first >= WholeTiles;
        int used = half ? Winograd.HalfPatch : Winograd.Patch;
        if (mask != null)
            new WinogradPatches(mask, rows, inRing, columns, pitch).Find(image, row - padding, used, masks, inside);
        if (new WinogradPatches(input, rows, inRing, columns, pitch).Find(image, row - padding, used, lines, inside))
            inside = null;
        if (half)
            Transform<WinogradHalfFilter3, TLayout>(lines, masks, inside, column - padding, first, tiles, to, step);
        else
            Transform<TFilter, TLayout>(lines, masks, inside, column - padding, first, tiles, to, step);
        return tiles;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Transform<TTile, TLayout>(float** lines, float** masks, float* inside, int column, int first, int tiles, float* to, long step)
        where TTile : struct, IWinogradFilter
        where TLayout : struct, IWinogradLayout
    {
        if (Vector512.IsHardwareAccelerated)
            WinogradTransforms.Input<Vector512<float>, HostVector512, TTile, TLayout>(lines, masks, inside, column, columns, pitch, first, tiles, channels, to, (nint)step, default(TLayout));
        else if (Vector256.IsHardwareAccelerated)
            WinogradTransforms.Input<Vector256<float>, HostVector256, TTile, TLayout>(lines, masks, inside, column, columns, pitch, first, tiles, channels, to, (nint)step, default(TLayout));
        else
            WinogradTransforms.Input<Vector128<float>, HostVector128, TTile, TLayout>(lines, masks, inside, column, columns, pitch, first, tiles, channels, to, (nint)step, default(TLayout));
    }

    /// <param name="channel">The panel's first output channel.</param>
    /// <param name="used">Columns of the panel that are channels.</param>
    private void Write(in Spot spot, bool half, float* from, long step, int channel, int used, float* pixels)
    {
        if (half)
            WriteTile<WinogradHalfFilter3>(spot, from, step, channel, used, pixels);
        else
            WriteTile<TFilter>(spot, from, step, channel, used, pixels);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void WriteTile<TTile>(in Spot spot, float* from, long step, int channel, int used, float* pixels)
        where TTile : struct, IWinogradFilter
    {
        if (Vector512.IsHardwareAccelerated)
        {
            // The last eight channels, or fewer, fill a narrower vector; what stands beside them may be nothing that was computed.
            int left = used % HostVector512.Count, wide = left <= HostVector256.Count ? used - left : used;
            if (wide > 0)
                Write<Vector512<float>, HostVector512, TTile>(spot, from, step, channel, wide, pixels);
            if (wide < used)
                Write<Vector256<float>, HostVector256, TTile>(spot, from + wide, step, channel + wide, used - wide, pixels);
        }
        else if (Vector256.IsHardwareAccelerated)
            Write<Vector256<float>, HostVector256, TTile>(spot, from, step, channel, used, pixels);
        else
            Write<Vector128<float>, HostVector128, TTile>(spot, from, step, channel, used, pixels);
    }

    /// <summary>Where a tile's outputs go: the first pixel's first channel, and how much of the tile lies in the map.</summary>
    private readonly record struct Spot(nint To, int Height, int Width)
    {
        public float* Start => (float*)To;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private Spot Find(long tile)
    {
        var (image, row, column) = Place(tile);
        int height = Math.Min(TFilter.Tile, outRows - row), width = Math.Min(TFilter.Tile, outColumns - column);
        // An odd row or column at the end has no window. Tiles begin at even places, so each window lies in one tile.
        if (pooled)
            (height, width, row, column) = (height / 2, width / 2, row / 2, column / 2);
        return new((nint)(output + (((long)image * MapRows + row % outRing) * MapColumns + column) * outPitch), height, width);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Write<TVector, TOps, TTile>(in Spot spot, float* from, long step, int channel, int used, float* pixels)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
        where TTile : struct, IWinogradFilter
    {
        float* stack = stackalloc float[24 * 16 + HostPrefetch.Line], between = HostMemory.AtLine(stack), tileStart = spot.Start + channel;
        int lanes = TOps.Count, height = spot.Height, width = spot.Width, mapColumns = MapColumns;
        bool whole = width == Side && height == (pooled ? TTile.TileRows / 2 : TTile.TileRows);
        for (int c = 0; c < used; c += lanes)
        {
            WinogradTransforms.OutputColumns<TVector, TOps, TTile>(from + c, (nint)step, between);
            int count = Math.Min(lanes, used - c);
            float* to = tileStart + c, biases = bias == null ? null : bias + channel + c;
            if (!whole || count < lanes)
            {
                WriteParts<TVector, TOps, TTile>(between, height, width, count, biases, to, mapColumns, pixels);
                continue;
            }
            for (int i = 0; i < TTile.TileRows; i += 2)
            {
                WinogradTransforms.OutputRow<TVector, TOps, TFilter>(between, i, out var a0, out var a1, out var a2, out var a3);
                WinogradTransforms.OutputRow<TVector, TOps, TFilter>(between, i + 1, out var b0, out var b1, out var b2, out var b3);
                if (pooled)
                {
                    PutMaximum<TVector, TOps>(a0, a1, b0, b1, biases, to);
                    if (TFilter.Tile == 4)
                        PutMaximum<TVector, TOps>(a2, a3, b2, b3, biases, to + outPitch);
                    to += (long)mapColumns * outPitch;
                    continue;
                }
                float* below = to + (long)mapColumns * outPitch;
                Put<TVector, TOps>(a0, biases, to);
                Put<TVector, TOps>(a1, biases, to + outPitch);
                Put<TVector, TOps>(b0, biases, below);
                Put<TVector, TOps>(b1, biases, below + outPitch);
                if (TFilter.Tile == 4)
                {
                    Put<TVector, TOps>(a2, biases, to + 2 * outPitch);
                    Put<TVector, TOps>(a3, biases, to + 3 * outPitch);
                    Put<TVector, TOps>(b2, biases, below + 2 * outPitch);
                    Put<TVector, TOps>(b3, biases, below + 3 * outPitch);
                }
                to = below + (long)mapColumns * outPitch;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Put<TVector, TOps>(TVector value, float* biases, float* to)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
        => TOps.Store(Finish<TVector, TOps>(value, biases), to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private TVector Finish<TVector, TOps>(TVector value, float* biases)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
    {
        if (biases != null)
            value = TOps.Add(value, TOps.Load(biases));
        return relu ? TOps.Relu(value) : value;
    }

    /// <summary>
    /// Bias and ReLU keep the order of numbers, also rounded, so they may come before the maximum or after it. Without AVX-512 the maximum of what ReLU gave is one instruction, that of any numbers
    /// eight.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void PutMaximum<TVector, TOps>(TVector a0, TVector a1, TVector b0, TVector b1, float* biases, float* to)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
    {
        if (!Vector512.IsHardwareAccelerated && relu)
            TOps.Store(
                TOps.MaxOfRelus(
                    TOps.MaxOfRelus(Finish<TVector, TOps>(a0, biases), Finish<TVector, TOps>(a1, biases)), TOps.MaxOfRelus(Finish<TVector, TOps>(b0, biases), Finish<TVector, TOps>(b1, biases))),
                to);
        else
            Put<TVector, TOps>(TOps.Max(TOps.Max(a0, a1), TOps.Max(b0, b1)), biases, to);
    }

    /// <summary>A tile that the map's end cuts, or channels that fill no vector.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void WriteParts<TVector, TOps, TTile>(float* between, int height, int width, int count, float* biases, float* to, int mapColumns, float* pixels)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
        where TTile : struct, IWinogradFilter
    {
        int lanes = TOps.Count;
        for (int i = 0; i < TTile.TileRows; i++)
        {
            WinogradTransforms.OutputRow<TVector, TOps, TFilter>(between, i, out var y0, out var y1, out var y2, out var y3);
            float* pixel = pixels + i * TFilter.Tile * lanes;
            TOps.Store(y0, pixel);
            TOps.Store(y1, pixel + lanes);
            if (TFilter.Tile == 2)
                continue;
            TOps.Store(y2, pixel + 2 * lanes);
            TOps.Store(y3, pixel + 3 * lanes);
        }
        if (pooled)
            Pool<TVector, TOps, TTile>(pixels);
        for (int i = 0; i < height; i++)
            for (int j = 0; j < width; j++)
                HostPanels.Finish(pixels + (i * TFilter.Tile + j) * lanes, lanes, biases, relu, to + ((long)i * mapColumns + j) * outPitch, outPitch, 1, count);
    }

    /// <summary>
    /// The maxima of 2×2 take the places of the tile's upper left quarter. Before bias and ReLU: both keep the order of numbers, also rounded, so the results are
    /// those of pooling afterwards.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Pool<TVector, TOps, TTile>(float* pixels)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
        where TTile : struct, IWinogradFilter
    {
        int lanes = TOps.Count;
        for (int i = 0; i < TTile.TileRows / 2; i++)
            for (int j = 0; j < TFilter.Tile / 2; j++)
            {
                float* window = pixels + (2 * i * TFilter.Tile + 2 * j) * lanes, below = window + TFilter.Tile * lanes;
                TOps.Store(
                    TOps.Max(TOps.Max(TOps.Load(window), TOps.Load(window + lanes)), TOps.Max(TOps.Load(below), TOps.Load(below + lanes))),
                    pixels + (i * TFilter.Tile + j) * lanes);
            }
    }
}
