using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// G g Gᵀ of all filters, in fp64 and rounded once, packed for <see cref="HostPanels"/> as [point][panel][k][width], padded columns zero: k are input channels
/// and columns output channels for the forward pass; for the backward pass the filters are turned by 180° and the roles swapped. 36/9 or 36/25 times the weights are written.
/// </summary>
internal readonly unsafe struct WinogradWeightPacking<TFilter>(float* weights, float* packed, ConvolutionShape s, bool backward) : IHostTask
    where TFilter : struct, IWinogradFilter
{
    /// <summary>Filters that are transformed at once, and columns that fill a cache line.</summary>
    private const int Lanes = 8, Line = 16;

    /// <summary>Forward: one input channel a tile. Backward: a cache line of columns and 64 rows.</summary>
    private const int RowBlock = 64;

    private static int Taps => TFilter.Taps * TFilter.Taps;

    private int RowBlocks => (s.Oc + RowBlock - 1) / RowBlock;

    public int Tiles => backward ? (HostPanels.Padded(s.Ic) + Line - 1) / Line * RowBlocks : s.Ic;

    public static long Length(int rows, int columns) => (long)Winograd.Points * rows * HostPanels.Padded(columns);

    public void Run(int tile, int worker)
    {
        if (backward)
            PackTurned(tile / RowBlocks * Line, tile % RowBlocks * RowBlock);
        else
            PackRow(tile);
    }

    /// <summary>Forward: neighbouring columns are neighbours in memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void PackRow(int k)
    {
        float* filters = stackalloc float[Taps * Lanes], points = stackalloc float[Winograd.Points * Lanes];
        long pointStep = (long)s.Ic * HostPanels.Padded(s.Oc);
        for (int start = 0, width; start < s.Oc; start += width)
        {
            width = HostPanels.Width(s.Oc - start);
            float* panel = packed + (long)s.Ic * start + (long)k * width;
            for (int column = 0; column < width; column += Lanes)
            {
                int lanes = Math.Min(Lanes, width - column);
                Load(weights + (long)k * s.Oc + start + column, Math.Clamp(s.Oc - start - column, 0, lanes), turned: false, filters);
                if (lanes == Lanes)
                    Transform(filters, panel + column, pointStep);
                else
                {
                    Transform(filters, points, Lanes);
                    for (int q = 0; q < Winograd.Points; q++)
                        new ReadOnlySpan<float>(points + q * Lanes, lanes).CopyTo(new Span<float>(panel + q * pointStep + column, lanes));
                }
            }
        }
    }

    /// <summary>Backward: neighbouring k are neighbours in memory, so a cache line of columns is turned over in a buffer before it is written.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void PackTurned(int firstColumn, int firstRow)
    {
        float* filters = stackalloc float[Taps * Lanes], points = stackalloc float[Winograd.Points * Lanes], lines = stackalloc float[Winograd.Points * Lanes * Line];
        long pointStep = (long)s.Oc * HostPanels.Padded(s.Ic);
        int endColumn = Math.Min(firstColumn + Line, HostPanels.Padded(s.Ic)), endRow = Math.Min(firstRow + RowBlock, s.Oc);
        for (int k = firstRow; k < endRow; k += Lanes)
        {
            int rows = Math.Min(Lanes, endRow - k);
            for (int column = firstColumn; column < endColumn; column++)
            {
                if (column < s.Ic)
                    Load(weights + (long)column * s.Oc + k, rows, turned: true, filters);
                else
                    new Span<float>(filters, Taps * Lanes).Clear();
                Transform(filters, points, Lanes);
                float* to = lines + column - firstColumn;
                for (int i = 0; i < Winograd.Points * Lanes; i++)
                    to[i * Line] = points[i];
            }
            for (int start = 0, width; start < endColumn; start += width)
            {
                width = HostPanels.Width(s.Ic - start);
                int first = Math.Max(start, firstColumn), count = Math.Min(start + width, endColumn) - first;
                if (count <= 0)
                    continue;
                float* panel = packed + (long)s.Oc * start + (long)k * width + first - start;
                for (int q = 0; q < Winograd.Points; q++)
                    for (int i = 0; i < rows; i++)
                        new ReadOnlySpan<float>(lines + (q * Lanes + i) * Line + first - firstColumn, count).CopyTo(new Span<float>(panel + q * pointStep + (long)i * width, count));
            }
        }
    }

    private void Load(float* from, int used, bool turned, float* filters)
    {
        for (int tap = 0; tap < Taps; tap++, filters += Lanes)
        {
            float* source = from + (long)(turned ? Taps - 1 - tap : tap) * s.Ic * s.Oc;
            if (used == Lanes)
                Vector256.Load(source).Store(filters);
            else
                for (int i = 0; i < Lanes; i++)
                    filters[i] = i < used ? source[i] : 0;
        }
    }

    /// <summary>points[(6i + j)·step] = Σ G[i, r] · g[r, c] · G[j, c], for eight filters at once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Transform(float* filters, float* points, long step)
    {
        int taps = TFilter.Taps, row = taps * Lanes;
        double* between = stackalloc double[Winograd.Patch * taps * Lanes];
        for (int c = 0; c < taps; c++)
        {
            float* column = filters + c * Lanes;
            Expand(Wide(column), Wide(column + row), Wide(column + 2 * row), taps == 5 ? Wide(column + 3 * row) : default, taps == 5 ? Wide(column + 4 * row) : default,
                out var p0, out var p1, out var p2, out var p3, out var p4, out var p5);
            double* to = between + c * Lanes;
            p0.Store(to);
            p1.Store(to + row);
            p2.Store(to + 2 * row);
            p3.Store(to + 3 * row);
            p4.Store(to + 4 * row);
            p5.Store(to + 5 * row);
        }
        for (int i = 0; i < 6; i++)
        {
            double* line = between + i * row;
            Expand(Vector512.Load(line), Vector512.Load(line + Lanes), Vector512.Load(line + 2 * Lanes),
                taps == 5 ? Vector512.Load(line + 3 * Lanes) : default, taps == 5 ? Vector512.Load(line + 4 * Lanes) : default,
                out var p0, out var p1, out var p2, out var p3, out var p4, out var p5);
            float* to = points + 6 * i * step;
            Narrow(p0).Store(to);
            Narrow(p1).Store(to + step);
            Narrow(p2).Store(to + 2 * step);
            Narrow(p3).Store(to + 3 * step);
            Narrow(p4).Store(to + 4 * step);
            Narrow(p5).Store(to + 5 * step);
        }
    }

    /// <summary>G g; the points ±a share the even and the odd part of their polynomial, and so do ±b.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Expand(Vector512<double> g0, Vector512<double> g1, Vector512<double> g2, Vector512<double> g3, Vector512<double> g4,
        out Vector512<double> p0, out Vector512<double> p1, out Vector512<double> p2, out Vector512<double> p3, out Vector512<double> p4, out Vector512<double> p5)
    {
        const double a = Winograd.A, b = Winograd.B, nearA = 1 / (2 * a * a * (a * a - b * b)), nearB = 1 / (2 * b * b * (b * b - a * a));
        p0 = g0 * (1 / (a * a * b * b));
        Vector512<double> even = g0 * nearA + g2 * (nearA * a * a), odd = g1 * (nearA * a);
        if (TFilter.Taps == 5)
        {
            even += g4 * (nearA * a * a * a * a);
            odd += g3 * (nearA * a * a * a);
        }
        p1 = even + odd;
        p2 = even - odd;
        even = g0 * nearB + g2 * (nearB * b * b);
        odd = g1 * (nearB * b);
        if (TFilter.Taps == 5)
        {
            even += g4 * (nearB * b * b * b * b);
            odd += g3 * (nearB * b * b * b);
        }
        p3 = even + odd;
        p4 = even - odd;
        p5 = TFilter.Taps == 5 ? g4 : g2;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<double> Wide(float* from)
    {
        var (lower, upper) = Vector256.Widen(Vector256.Load(from));
        return Vector512.Create(lower, upper);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Narrow(Vector512<double> value) => Vector256.Narrow(value.GetLower(), value.GetUpper());
}
