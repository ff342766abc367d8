using System.Runtime.CompilerServices;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// The transforms of <see cref="Winograd"/> for one tile and a run of channels: the lanes of a vector are channels, so nothing is shuffled. Each is a pass over
/// columns into a scratch of 36 vectors, which stays in the L1 cache, then a pass over rows. About 144 multiply-adds a channel for the inputs, for the outputs 100 with 3×3 taps and 56 with 5×5.
/// </summary>
internal static unsafe class WinogradTransforms
{
    /// <summary>Floats of scratch: 36 of the widest vectors.</summary>
    private const int Scratch = Winograd.Points * 16;

    /// <summary>to[point·step + c] = (Bᵀ d B)[point] of channel c, for all channels.</summary>
    /// <param name="pixels">36 pixels of the patch, row by row.</param>
    /// <param name="masks">Where not null, ReLU's output at those pixels: a pixel counts as 0 where it is not above 0.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Input<TVector, TOps>(float** pixels, float** masks, int channels, float* to, nint step)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
    {
        float* between = stackalloc float[Scratch];
        int width = TOps.Count;
        for (int at = 0; at < channels; at += width)
        {
            // The last vector begins earlier and computes some channels again.
            int c = Math.Min(at, channels - width);
            for (int j = 0; j < 6; j++)
            {
                TVector d0, d1, d2, d3, d4, d5;
                if (masks == null)
                {
                    d0 = TOps.Load(pixels[j] + c);
                    d1 = TOps.Load(pixels[6 + j] + c);
                    d2 = TOps.Load(pixels[12 + j] + c);
                    d3 = TOps.Load(pixels[18 + j] + c);
                    d4 = TOps.Load(pixels[24 + j] + c);
                    d5 = TOps.Load(pixels[30 + j] + c);
                }
                else
                {
                    d0 = TOps.Gate(TOps.Load(pixels[j] + c), TOps.Load(masks[j] + c));
                    d1 = TOps.Gate(TOps.Load(pixels[6 + j] + c), TOps.Load(masks[6 + j] + c));
                    d2 = TOps.Gate(TOps.Load(pixels[12 + j] + c), TOps.Load(masks[12 + j] + c));
                    d3 = TOps.Gate(TOps.Load(pixels[18 + j] + c), TOps.Load(masks[18 + j] + c));
                    d4 = TOps.Gate(TOps.Load(pixels[24 + j] + c), TOps.Load(masks[24 + j] + c));
                    d5 = TOps.Gate(TOps.Load(pixels[30 + j] + c), TOps.Load(masks[30 + j] + c));
                }
                Interpolate<TVector, TOps>(d0, d1, d2, d3, d4, d5, between + j * width, 6 * width);
            }
            float* target = to + c;
            for (int i = 0; i < 6; i++, target += 6 * step)
            {
                float* row = between + i * 6 * width;
                Interpolate<TVector, TOps>(
                    TOps.Load(row), TOps.Load(row + width), TOps.Load(row + 2 * width), TOps.Load(row + 3 * width), TOps.Load(row + 4 * width), TOps.Load(row + 5 * width), target, step);
            }
        }
    }

    /// <summary>to[point·step + c] = (A dY Aᵀ)[point] of channel c: what a tile's gradient means at the points.</summary>
    /// <param name="pixels">Pixels of the tile, row by row.</param>
    /// <inheritdoc cref="Input"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Gradient<TVector, TOps, TFilter>(float** pixels, float** masks, int channels, float* to, nint step)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
        where TFilter : struct, IWinogradFilter
    {
        float* between = stackalloc float[Scratch];
        int width = TOps.Count;
        for (int at = 0; at < channels; at += width)
        {
            int c = Math.Min(at, channels - width);
            for (int j = 0; j < TFilter.Tile; j++)
            {
                TVector y0 = Masked<TVector, TOps>(pixels, masks, j, c), y1 = Masked<TVector, TOps>(pixels, masks, TFilter.Tile + j, c), y2 = default, y3 = default;
                if (TFilter.Tile == 4)
                {
                    y2 = Masked<TVector, TOps>(pixels, masks, 2 * TFilter.Tile + j, c);
                    y3 = Masked<TVector, TOps>(pixels, masks, 3 * TFilter.Tile + j, c);
                }
                Spread<TVector, TOps, TFilter>(y0, y1, y2, y3, between + j * width, TFilter.Tile * width);
            }
            float* target = to + c;
            for (int i = 0; i < 6; i++, target += 6 * step)
            {
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

    /// <summary>to[(tile·i + j)·width] = (Aᵀ m A)[i, j] of one vector of channels.</summary>
    /// <param name="from">Products, points <paramref name="step"/> apart.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Output<TVector, TOps, TFilter>(float* from, nint step, float* to)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
        where TFilter : struct, IWinogradFilter
    {
        float* between = stackalloc float[Scratch];
        int width = TOps.Count;
        for (int j = 0; j < 6; j++)
        {
            float* m = from + j * step;
            Evaluate<TVector, TOps, TFilter>(
                TOps.Load(m), TOps.Load(m + 6 * step), TOps.Load(m + 12 * step), TOps.Load(m + 18 * step), TOps.Load(m + 24 * step), TOps.Load(m + 30 * step), between + j * width, 6 * width);
        }
        for (int i = 0; i < TFilter.Tile; i++)
        {
            float* row = between + i * 6 * width;
            Evaluate<TVector, TOps, TFilter>(
                TOps.Load(row), TOps.Load(row + width), TOps.Load(row + 2 * width), TOps.Load(row + 3 * width), TOps.Load(row + 4 * width), TOps.Load(row + 5 * width), to + i * TFilter.Tile * width, width);
        }
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
    private static void Evaluate<TVector, TOps, TFilter>(TVector m0, TVector m1, TVector m2, TVector m3, TVector m4, TVector m5, float* to, nint step)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
        where TFilter : struct, IWinogradFilter
    {
        TVector nearSum = TOps.Add(m1, m2), nearDifference = TOps.Subtract(m1, m2), farSum = TOps.Add(m3, m4), farDifference = TOps.Subtract(m3, m4);
        TOps.Store(TOps.Add(m0, TOps.Add(nearSum, farSum)), to);
        TOps.Store(TOps.MultiplyAdd(TOps.Broadcast(Winograd.A), nearDifference, TOps.MultiplyAdd(TOps.Broadcast(Winograd.B), farDifference, TFilter.Tile == 2 ? m5 : default)), to + step);
        if (TFilter.Tile == 2)
            return;
        TOps.Store(TOps.MultiplyAdd(TOps.Broadcast(Winograd.A2), nearSum, TOps.MultiplyAdd(TOps.Broadcast(Winograd.B2), farSum, default)), to + 2 * step);
        TOps.Store(TOps.MultiplyAdd(TOps.Broadcast(Winograd.A3), nearDifference, TOps.MultiplyAdd(TOps.Broadcast(Winograd.B3), farDifference, m5)), to + 3 * step);
    }
}
