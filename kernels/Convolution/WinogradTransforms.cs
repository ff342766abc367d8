using System.Runtime.CompilerServices;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// The transforms of <see cref="Winograd"/>: the lanes of a vector are channels, so nothing is shuffled. Each is a pass over columns into a scratch, which stays in the L1
/// cache, then a pass over rows. Multiply-adds a tile and channel: for the inputs about 120 with 3×3 taps and 96 with 5×5, for the outputs 100 and 56.
/// </summary>
internal static unsafe class WinogradTransforms
{
    /// <summary>Floats of the widest vector.</summary>
    private const int MaxLanes = 16;

    /// <summary>Columns of patches, transformed one way, that <see cref="Input"/> keeps: a power of 2 that holds those of a tile.</summary>
    private const int Columns = 8;

    /// <summary>Channels that it takes at once: whole vectors. The columns kept of them fill 12 KB of the L1 cache, and each pixel's stand in one run of lines.</summary>
    private const int Chunk = 64;

    /// <summary>
    /// to[point·step + place of tile <paramref name="first"/> + t and channel c] = (Bᵀ d B)[point], for tiles side by side and all channels: 64 channels after the other, tile by tile from left to
    /// right. Neighbouring patches share two columns, which pass over once. Half tiles read four rows, and leave <see cref="Winograd.IsFar"/>'s points out.
    /// <para>
    /// With vectors of a whole cache line those of the next tile are asked for, or with masks, of which as many lines come, half as far: the processor's own foresight does not see where six rows go on.
    /// Narrower vectors read each line two or four times, and gained nothing.
    /// </para>
    /// </summary>
    /// <param name="lines">The six rows' first pixels.</param>
    /// <param name="masks">Where not null, those of ReLU's output: a pixel counts as 0 where it is not above 0.</param>
    /// <param name="inside">Of each row 1, or 0 where it lies outside of the map and counts as 0, whatever stands there; null where all lie inside.</param>
    /// <param name="column">The first patch's first column; those outside of the map's <paramref name="columns"/> count as 0.</param>
    /// <param name="first">The number of the first tile in the layout.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Input<TVector, TOps, TFilter, TLayout>(
        float** lines, float** masks, float* inside, int column, int columns, int pitch, int first, int tiles, int channels, float* to, nint step, TLayout layout)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
        where TFilter : struct, IWinogradFilter
        where TLayout : struct, IWinogradLayout
    {
        float* stack = stackalloc float[Columns * Winograd.Patch * Chunk + HostPrefetch.Line], kept = HostMemory.AtLine(stack);
        const int size = Winograd.Patch * Chunk;
        int width = TOps.Count, vector = Winograd.Patch * width;
        bool half = TFilter.TileRows < TFilter.Tile;
        nint ahead = (masks == null ? TFilter.Tile : TFilter.Tile / 2) * pitch;
        for (int at = 0; at < channels; at += Chunk)
        {
            int vectors = Math.Min(Chunk / width, (channels - at + width - 1) / width), done = 0;
            for (int t = 0; t < tiles; t++)
            {
                for (int end = t * TFilter.Tile + Winograd.Patch; done < end; done++)
                {
                    float* between = kept + (done & Columns - 1) * size;
                    int w = column + done;
                    if ((uint)w >= (uint)columns)
                    {
                        new Span<float>(between, size).Clear();
                        continue;
                    }
                    float* r0 = lines[0], r1 = lines[1], r2 = lines[2], r3 = lines[3], r4 = lines[4], r5 = lines[5];
                    for (int v = 0; v < vectors; v++, between += vector)
                    {
                        // The last vector begins earlier and computes some channels again.
                        nint c = (nint)w * pitch + Math.Min(at + v * width, channels - width), next = c + ahead;
                        if (TOps.Count == HostPrefetch.Line)
                            NearColumn(r0, r1, r2, r3, r4, r5, next);
                        TVector d0 = TOps.Load(r0 + c), d1 = TOps.Load(r1 + c), d2 = TOps.Load(r2 + c), d3 = TOps.Load(r3 + c), d4 = half ? default : TOps.Load(r4 + c), d5 = half ? default : TOps.Load(r5 + c);
                        if (masks != null)
                        {
                            if (TOps.Count == HostPrefetch.Line)
                                NearColumn(masks[0], masks[1], masks[2], masks[3], masks[4], masks[5], next);
                            d0 = TOps.Gate(d0, TOps.Load(masks[0] + c));
                            d1 = TOps.Gate(d1, TOps.Load(masks[1] + c));
                            d2 = TOps.Gate(d2, TOps.Load(masks[2] + c));
                            d3 = TOps.Gate(d3, TOps.Load(masks[3] + c));
                            d4 = half ? default : TOps.Gate(d4, TOps.Load(masks[4] + c));
                            d5 = half ? default : TOps.Gate(d5, TOps.Load(masks[5] + c));
                        }
                        if (inside != null)
                        {
                            d0 = TOps.Gate(d0, TOps.Broadcast(inside[0]));
                            d1 = TOps.Gate(d1, TOps.Broadcast(inside[1]));
                            d2 = TOps.Gate(d2, TOps.Broadcast(inside[2]));
                            d3 = TOps.Gate(d3, TOps.Broadcast(inside[3]));
                            d4 = TOps.Gate(d4, TOps.Broadcast(inside[4]));
                            d5 = TOps.Gate(d5, TOps.Broadcast(inside[5]));
                        }
                        if (half)
                            InterpolateHalf<TVector, TOps>(d0, d1, d2, d3, between, width);
                        else
                            Interpolate<TVector, TOps>(d0, d1, d2, d3, d4, d5, between, width);
                    }
                }
                int from = t * TFilter.Tile;
                float* c0 = kept + (from & Columns - 1) * size, c1 = kept + (from + 1 & Columns - 1) * size, c2 = kept + (from + 2 & Columns - 1) * size,
                    c3 = kept + (from + 3 & Columns - 1) * size, c4 = kept + (from + 4 & Columns - 1) * size, c5 = kept + (from + 5 & Columns - 1) * size;
                for (int v = 0; v < vectors; v++)
                {
                    float* points = to + layout.Place(first + t, Math.Min(at + v * width, channels - width), channels);
                    for (nint i = v * vector, last = i + vector; i < last; i += width, points += Winograd.Patch * step)
                    {
                        if (half && i == v * vector + 3 * width)
                        {
                            i += 2 * width;
                            points += Winograd.Far * step;
                        }
                        Interpolate<TVector, TOps>(TOps.Load(c0 + i), TOps.Load(c1 + i), TOps.Load(c2 + i), TOps.Load(c3 + i), TOps.Load(c4 + i), TOps.Load(c5 + i), points, step);
                    }
                }
            }
        }
    }

    /// <summary>Asks for a line of each of a column's pixels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void NearColumn(float* r0, float* r1, float* r2, float* r3, float* r4, float* r5, nint at)
    {
        HostPrefetch.Near(r0 + at);
        HostPrefetch.Near(r1 + at);
        HostPrefetch.Near(r2 + at);
        HostPrefetch.Near(r3 + at);
        HostPrefetch.Near(r4 + at);
        HostPrefetch.Near(r5 + at);
    }

    /// <summary>to[point·step + place of the tile and channel c] = (A dY Aᵀ)[point]: what a tile's gradient means at the points.</summary>
    /// <param name="pixels">Pixels of the tile, row by row; of a half tile the upper half.</param>
    /// <param name="masks">Where not null, ReLU's output at those pixels: a pixel counts as 0 where it is not above 0.</param>
    /// <param name="nextTile">Floats from a pixel to that of the tile which will likely be transformed next.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Gradient<TVector, TOps, TFilter, TLayout>(float** pixels, float** masks, int tile, int channels, nint nextTile, float* to, nint step, TLayout layout)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
        where TFilter : struct, IWinogradFilter
        where TLayout : struct, IWinogradLayout
    {
        float* stack = stackalloc float[Winograd.Points * MaxLanes + HostPrefetch.Line], between = HostMemory.AtLine(stack);
        int width = TOps.Count;
        for (int at = 0; at < channels; at += width)
        {
            int c = Math.Min(at, channels - width);
            nint next = at + width < channels ? c + width : nextTile;
            for (int j = 0; j < TFilter.Tile; j++)
            {
                if (TOps.Count == HostPrefetch.Line)
                    for (int i = j; i < TFilter.TileRows * TFilter.Tile; i += TFilter.Tile)
                    {
                        HostPrefetch.Near(pixels[i] + next);
                        if (masks != null)
                            HostPrefetch.Near(masks[i] + next);
                    }
                TVector y0 = Masked<TVector, TOps>(pixels, masks, j, c), y1 = Masked<TVector, TOps>(pixels, masks, TFilter.Tile + j, c), y2 = default, y3 = default;
                if (TFilter.TileRows == 4)
                {
                    y2 = Masked<TVector, TOps>(pixels, masks, 2 * TFilter.Tile + j, c);
                    y3 = Masked<TVector, TOps>(pixels, masks, 3 * TFilter.Tile + j, c);
                }
                if (TFilter.TileRows < TFilter.Tile)
                    SpreadHalf<TVector, TOps>(y0, y1, between + j * width, TFilter.Tile * width);
                else
                    Spread<TVector, TOps, TFilter>(y0, y1, y2, y3, between + j * width, TFilter.Tile * width);
            }
            float* target = to + layout.Place(tile, c, channels);
            for (int i = 0; i < 6; i++, target += 6 * step)
            {
                if (TFilter.TileRows < TFilter.Tile && i == 3)
                {
                    i += 2;
                    target += Winograd.Far * step;
                }
                float* row = between + i * TFilter.Tile * width;
                TVector y2 = default, y3 = default;
                if (TFilter.Tile == 4)
                {
                    y2 = TOps.Load(row + 2 * width);
                    y3 = TOps.Load(row + 3 * width);
                }
                Spread<TVector, TOps, TFilter>(TOps.Load(row), TOps.Load(row + width), y2, y3, target, step);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Masked<TVector, TOps>(float** pixels, float** masks, int index, int c)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
        => masks == null ? TOps.Load(pixels[index] + c) : TOps.Gate(TOps.Load(pixels[index] + c), TOps.Load(masks[index] + c));

    /// <summary>
    /// between[(6i + j)·width] = (Aᵀ m)[i, j] of one vector of channels: the first half of Aᵀ m A, 24 vectors or 12. Vectors of a whole line ask for the ones behind them. Products of half tiles
    /// are not read at <see cref="Winograd.IsFar"/>'s points.
    /// </summary>
    /// <param name="from">Products, points <paramref name="step"/> apart.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void OutputColumns<TVector, TOps, TFilter>(float* from, nint step, float* between)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
        where TFilter : struct, IWinogradFilter
    {
        int width = TOps.Count;
        for (int j = 0; j < 6; j++, from += step, between += width)
        {
            if (TOps.Count == HostPrefetch.Line)
                NearPoints(from + width, step);
            if (TFilter.TileRows < TFilter.Tile)
            {
                EvaluateHalf<TVector, TOps>(TOps.Load(from), TOps.Load(from + 6 * step), TOps.Load(from + 12 * step), TOps.Load(from + 30 * step), out var upper, out var lower);
                TOps.Store(upper, between);
                TOps.Store(lower, between + 6 * width);
                continue;
            }
            Evaluate<TVector, TOps, TFilter>(
                TOps.Load(from), TOps.Load(from + 6 * step), TOps.Load(from + 12 * step), TOps.Load(from + 18 * step), TOps.Load(from + 24 * step), TOps.Load(from + 30 * step),
                out var y0, out var y1, out var y2, out var y3);
            TOps.Store(y0, between);
            TOps.Store(y1, between + 6 * width);
            if (TFilter.Tile == 2)
                continue;
            TOps.Store(y2, between + 12 * width);
            TOps.Store(y3, between + 18 * width);
        }
    }

    /// <summary>Asks for the products at the points of a column.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void NearPoints(float* from, nint step)
    {
        HostPrefetch.Near(from);
        HostPrefetch.Near(from + 6 * step);
        HostPrefetch.Near(from + 12 * step);
        HostPrefetch.Near(from + 18 * step);
        HostPrefetch.Near(from + 24 * step);
        HostPrefetch.Near(from + 30 * step);
    }

    /// <summary>The second half: row <paramref name="row"/> of the tile, of which the last two may not be.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void OutputRow<TVector, TOps, TFilter>(float* between, int row, out TVector y0, out TVector y1, out TVector y2, out TVector y3)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
        where TFilter : struct, IWinogradFilter
    {
        int width = TOps.Count;
        between += row * 6 * width;
        Evaluate<TVector, TOps, TFilter>(
            TOps.Load(between), TOps.Load(between + width), TOps.Load(between + 2 * width), TOps.Load(between + 3 * width), TOps.Load(between + 4 * width), TOps.Load(between + 5 * width),
            out y0, out y1, out y2, out y3);
    }

    /// <summary>Bᵀ d in 12 multiply-adds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Interpolate<TVector, TOps>(TVector d0, TVector d1, TVector d2, TVector d3, TVector d4, TVector d5, float* to, nint step)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
    {
        var product = TOps.Broadcast(Winograd.Product);
        var sum = TOps.Broadcast(-Winograd.Sum);
        TOps.Store(TOps.MultiplyAdd(product, d0, TOps.MultiplyAdd(sum, d2, d4)), to);
        var far = TOps.Broadcast(-Winograd.B2);
        TVector even = TOps.MultiplyAdd(far, d2, d4), odd = TOps.MultiplyAdd(far, d1, d3);
        TOps.Store(TOps.MultiplyAdd(TOps.Broadcast(Winograd.A), odd, even), to + step);
        TOps.Store(TOps.MultiplyAdd(TOps.Broadcast(-Winograd.A), odd, even), to + 2 * step);
        var near = TOps.Broadcast(-Winograd.A2);
        even = TOps.MultiplyAdd(near, d2, d4);
        odd = TOps.MultiplyAdd(near, d1, d3);
        TOps.Store(TOps.MultiplyAdd(TOps.Broadcast(Winograd.B), odd, even), to + 3 * step);
        TOps.Store(TOps.MultiplyAdd(TOps.Broadcast(-Winograd.B), odd, even), to + 4 * step);
        TOps.Store(TOps.MultiplyAdd(product, d1, TOps.MultiplyAdd(sum, d3, d5)), to + 5 * step);
    }

    /// <summary>Bᵀ d of a half tile, in the places of a whole one's.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void InterpolateHalf<TVector, TOps>(TVector d0, TVector d1, TVector d2, TVector d3, float* to, nint step)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
    {
        var difference = TOps.Broadcast(Winograd.Difference);
        TVector even = TOps.MultiplyAdd(difference, d2, default), odd = TOps.MultiplyAdd(difference, d1, default);
        TOps.Store(TOps.MultiplyAdd(TOps.Broadcast(Winograd.Product), d0, TOps.MultiplyAdd(TOps.Broadcast(-Winograd.B2), d2, default)), to);
        TOps.Store(TOps.MultiplyAdd(TOps.Broadcast(Winograd.A), odd, even), to + step);
        TOps.Store(TOps.MultiplyAdd(TOps.Broadcast(-Winograd.A), odd, even), to + 2 * step);
        TOps.Store(TOps.MultiplyAdd(TOps.Broadcast(-Winograd.A2), d1, d3), to + 5 * step);
    }

    /// <summary>A y of a half tile, in the places of a whole one's.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void SpreadHalf<TVector, TOps>(TVector y0, TVector y1, float* to, nint step)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
    {
        TOps.Store(y0, to);
        var odd = TOps.MultiplyAdd(TOps.Broadcast(Winograd.A), y1, default);
        TOps.Store(TOps.Add(y0, odd), to + step);
        TOps.Store(TOps.Subtract(y0, odd), to + 2 * step);
        TOps.Store(y1, to + 5 * step);
    }

    /// <summary>Aᵀ m of a half tile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void EvaluateHalf<TVector, TOps>(TVector m0, TVector m1, TVector m2, TVector m5, out TVector y0, out TVector y1)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
    {
        y0 = TOps.Add(m0, TOps.Add(m1, m2));
        y1 = TOps.MultiplyAdd(TOps.Broadcast(Winograd.A), TOps.Subtract(m1, m2), m5);
    }

    /// <summary>A y.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Spread<TVector, TOps, TFilter>(TVector y0, TVector y1, TVector y2, TVector y3, float* to, nint step)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
        where TFilter : struct, IWinogradFilter
    {
        TOps.Store(y0, to);
        TVector even = y0, odd = TOps.MultiplyAdd(TOps.Broadcast(Winograd.A), y1, default);
        if (TFilter.Tile == 4)
        {
            even = TOps.MultiplyAdd(TOps.Broadcast(Winograd.A2), y2, even);
            odd = TOps.MultiplyAdd(TOps.Broadcast(Winograd.A3), y3, odd);
        }
        TOps.Store(TOps.Add(even, odd), to + step);
        TOps.Store(TOps.Subtract(even, odd), to + 2 * step);
        even = y0;
        odd = TOps.MultiplyAdd(TOps.Broadcast(Winograd.B), y1, default);
        if (TFilter.Tile == 4)
        {
            even = TOps.MultiplyAdd(TOps.Broadcast(Winograd.B2), y2, even);
            odd = TOps.MultiplyAdd(TOps.Broadcast(Winograd.B3), y3, odd);
        }
        TOps.Store(TOps.Add(even, odd), to + 3 * step);
        TOps.Store(TOps.Subtract(even, odd), to + 4 * step);
        TOps.Store(TFilter.Tile == 4 ? y3 : y1, to + 5 * step);
    }

    /// <summary>Aᵀ m.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Evaluate<TVector, TOps, TFilter>(TVector m0, TVector m1, TVector m2, TVector m3, TVector m4, TVector m5, out TVector y0, out TVector y1, out TVector y2, out TVector y3)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
        where TFilter : struct, IWinogradFilter
    {
        TVector nearSum = TOps.Add(m1, m2), nearDifference = TOps.Subtract(m1, m2), farSum = TOps.Add(m3, m4), farDifference = TOps.Subtract(m3, m4);
        y0 = TOps.Add(m0, TOps.Add(nearSum, farSum));
        y1 = TOps.MultiplyAdd(TOps.Broadcast(Winograd.A), nearDifference, TOps.MultiplyAdd(TOps.Broadcast(Winograd.B), farDifference, TFilter.Tile == 2 ? m5 : default));
        y2 = y3 = default;
        if (TFilter.Tile == 2)
            return;
        y2 = TOps.MultiplyAdd(TOps.Broadcast(Winograd.A2), nearSum, TOps.MultiplyAdd(TOps.Broadcast(Winograd.B2), farSum, default));
        y3 = TOps.MultiplyAdd(TOps.Broadcast(Winograd.A3), nearDifference, TOps.MultiplyAdd(TOps.Broadcast(Winograd.B3), farDifference, m5));
    }
}
