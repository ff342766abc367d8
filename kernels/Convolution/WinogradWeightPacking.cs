using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// G g Gᵀ of all filters, in fp64 and rounded once, packed for <see cref="HostPanels"/> as [point][panel][k][width], padded columns zero: k are input channels
/// and columns output channels for the forward pass; for the backward pass the filters are turned by 180° and the roles swapped. 36/9 or 36/25 times the weights are written, past the
/// caches, which would first read what is overwritten and then give up all else for it.
/// </summary>
internal readonly unsafe struct WinogradWeightPacking<TFilter>(float* weights, float* packed, ConvolutionShape s, bool backward) : IHostTask
    where TFilter : struct, IWinogradFilter
{
    /// <summary>Columns that fill a cache line: lines are written whole, for the points' streams lie megabytes apart.</summary>
    private const int Line = 16;

    /// <summary>So far ahead is asked for filters, of which a row has as many streams as taps.</summary>
    private const int LinesAhead = 4;

    /// <summary>Forward: one input channel a tile. Backward: a cache line of columns and so many rows: where lines are fetched ahead, a tile's first ones are not.</summary>
    private static int RowBlock => Vector512.IsHardwareAccelerated ? 64 : 256;

    /// <summary>Rows that are turned at once. Without AVX-512 as many as a line holds: lines of so many taps and columns, kilobytes apart, leave the first-level cache before a second visit.</summary>
    private static int TurnedRows => Vector512.IsHardwareAccelerated ? 8 : Line;

    private static int Taps => TFilter.Taps * TFilter.Taps;

    private int Rows => backward ? s.Oc : s.Ic;

    private int Columns => backward ? s.Ic : s.Oc;

    private int RowBlocks => (s.Oc + RowBlock - 1) / RowBlock;

    public int Tiles => backward ? (HostPanels.Padded(s.Ic) + Line - 1) / Line * RowBlocks : s.Ic;

    /// <summary>Floats from one point to the next; not a multiple of 4 KiB, where the lines of all points would meet in the same places of the caches.</summary>
    public static long PointStep(int rows, int columns) => (long)rows * HostPanels.Padded(columns) + Line;

    public static long Length(int rows, int columns) => Winograd.Points * PointStep(rows, columns);

    public void Run(int tile, int worker)
    {
        if (backward)
            PackTurned(tile / RowBlocks * Line, tile % RowBlocks * RowBlock);
        else
            PackRow(tile);
        // What goes past the caches is ordered by nothing else.
        if (Sse.IsSupported)
            Sse.StoreFence();
    }

    /// <summary>Forward: neighbouring columns are neighbours in memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void PackRow(int k)
    {
        float* stack = stackalloc float[(Taps + 1) * Line], filters = HostMemory.AtLine(stack);
        int padded = HostPanels.Padded(s.Oc);
        nint step = (nint)s.Ic * s.Oc;
        for (int first = 0; first < padded; first += Line)
        {
            int used = Math.Clamp(s.Oc - first, 0, Line);
            float* from = weights + (long)k * s.Oc + first;
            for (int tap = 0; tap < Taps; tap++)
                HostPrefetch.Far(from + tap * step + LinesAhead * Line);
            if (used == Line)
            {
                Put(from, step, k, first, padded);
                continue;
            }
            for (int tap = 0; tap < Taps; tap++)
                for (int i = 0; i < Line; i++)
                    filters[tap * Line + i] = i < used ? from[tap * step + i] : 0;
            Put(filters, Line, k, first, padded);
        }
    }

    /// <summary>Backward: neighbouring k are neighbours in memory, so the filters of a cache line of columns are turned over in a buffer first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void PackTurned(int first, int firstRow)
    {
        float* stack = stackalloc float[(TurnedRows * Taps + 1) * Line], filters = HostMemory.AtLine(stack);
        int padded = HostPanels.Padded(s.Ic), used = Math.Clamp(s.Ic - first, 0, Line), endRow = Math.Min(firstRow + RowBlock, s.Oc);
        new Span<float>(filters, TurnedRows * Taps * Line).Clear();
        for (int k = firstRow; k < endRow; k += TurnedRows)
        {
            int rows = Math.Min(TurnedRows, endRow - k);
            for (int tap = 0; tap < Taps; tap++)
            {
                float* from = weights + ((long)(Taps - 1 - tap) * s.Ic + first) * s.Oc + k, to = filters + tap * Line;
                int column = 0;
                if (!Vector512.IsHardwareAccelerated)
                    for (int i = 0; i < used; i++)
                        HostPrefetch.Far(from + (long)i * s.Oc + Line);
                if (Sse.IsSupported)
                    for (; column <= used - 4; column += 4)
                        HostTranspose.FourColumns(from + (long)column * s.Oc, s.Oc, to + column, Taps * Line, rows);
                for (; column < used; column++)
                    for (int i = 0; i < rows; i++)
                        to[i * Taps * Line + column] = from[(long)column * s.Oc + i];
            }
            for (int i = 0; i < rows; i++)
                Put(filters + i * Taps * Line, Line, k + i, first, padded);
        }
    }

    /// <summary>A line of columns of row k goes to its panel; to several where those are narrower than a line.</summary>
    /// <param name="filters">Of the line's columns; taps are so many floats apart.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Put(float* filters, nint tapStep, int k, int first, int padded)
    {
        long step = (long)Rows * padded + Line;
        int start = first / HostPanels.MaxWidth * HostPanels.MaxWidth, width;
        while (start + (width = HostPanels.Width(Columns - start)) <= first)
            start += width;
        float* place = packed + (long)Rows * start + (long)k * width + first - start;
        bool aligned = step % Line == 0 && (nint)place % (Line * sizeof(float)) == 0;
        if (Vector512.IsHardwareAccelerated && aligned)
        {
            TransformLine(filters, tapStep, place, (nint)step);
            return;
        }
        float* stack = stackalloc float[(Winograd.Points + 1) * Line], points = HostMemory.AtLine(stack);
        Transform(filters, tapStep, points);
        for (int end = Math.Min(first + Line, padded); start < end; start += width)
        {
            width = HostPanels.Width(Columns - start);
            int from = Math.Max(start, first), count = Math.Min(start + width, end) - from;
            float* line = points + from - first, to = packed + (long)Rows * start + (long)k * width + from - start;
            bool whole = count == Line && aligned;
            for (int q = 0; q < Winograd.Points; q++, line += Line, to += step)
                if (whole)
                    PutLine(line, to);
                else
                    new ReadOnlySpan<float>(line, count).CopyTo(new Span<float>(to, count));
        }
    }

    /// <summary>Past the caches.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PutLine(float* line, float* to)
    {
        Vector256.Load(line).StoreAlignedNonTemporal(to);
        Vector256.Load(line + Line / 2).StoreAlignedNonTemporal(to + Line / 2);
    }

    /// <summary>Of a line of filters.</summary>
    private static void Transform(float* filters, nint tapStep, float* points)
    {
        if (Vector512.IsHardwareAccelerated)
            Transform<Vector512<double>, HostDoubles512>(filters, tapStep, points);
        else if (Vector256.IsHardwareAccelerated)
            Transform<Vector256<double>, HostDoubles256>(filters, tapStep, points);
        else
            Transform<Vector128<double>, HostDoubles128>(filters, tapStep, points);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Transform<TVector, TOps>(float* filters, nint tapStep, float* points)
        where TVector : struct
        where TOps : struct, IHostDoubles<TVector>
    {
        for (int lane = 0; lane < Line; lane += TOps.Count)
            TransformLanes<TVector, TOps>(filters + lane, tapStep, points + lane);
    }

    /// <summary>
    /// The points of a line of filters with AVX-512, past the caches, point by point <paramref name="step"/> floats apart: as <see cref="TransformLanes"/>, of two vectors whose results leave together, so
    /// that no store is read again in other portions.
    /// </summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransformLine(float* filters, nint tapStep, float* to, nint step)
    {
        int taps = TFilter.Taps, row = taps * Line;
        float* stack = stackalloc float[2 * Winograd.Patch * 5 * Line + Line];
        double* between = (double*)HostMemory.AtLine(stack);
        nint next = taps * tapStep;
        for (int c = 0; c < taps; c++)
            for (int lane = 0; lane < Line; lane += HostDoubles512.Count)
            {
                float* column = filters + c * tapStep + lane;
                Expand<Vector512<double>, HostDoubles512>(HostDoubles512.Widen(column), HostDoubles512.Widen(column + next), HostDoubles512.Widen(column + 2 * next),
                    taps == 5 ? HostDoubles512.Widen(column + 3 * next) : default, taps == 5 ? HostDoubles512.Widen(column + 4 * next) : default,
                    out var p0, out var p1, out var p2, out var p3, out var p4, out var p5);
                double* line = between + c * Line + lane;
                p0.Store(line);
                p1.Store(line + row);
                p2.Store(line + 2 * row);
                p3.Store(line + 3 * row);
                p4.Store(line + 4 * row);
                p5.Store(line + 5 * row);
            }
        for (int i = 0; i < 6; i++, to += 6 * step)
        {
            double* line = between + i * row, other = line + HostDoubles512.Count;
            Expand<Vector512<double>, HostDoubles512>(Vector512.Load(line), Vector512.Load(line + Line), Vector512.Load(line + 2 * Line),
                taps == 5 ? Vector512.Load(line + 3 * Line) : default, taps == 5 ? Vector512.Load(line + 4 * Line) : default,
                out var p0, out var p1, out var p2, out var p3, out var p4, out var p5);
            Expand<Vector512<double>, HostDoubles512>(Vector512.Load(other), Vector512.Load(other + Line), Vector512.Load(other + 2 * Line),
                taps == 5 ? Vector512.Load(other + 3 * Line) : default, taps == 5 ? Vector512.Load(other + 4 * Line) : default,
                out var q0, out var q1, out var q2, out var q3, out var q4, out var q5);
            HostDoubles512.Narrow(p0, q0).StoreAlignedNonTemporal(to);
            HostDoubles512.Narrow(p1, q1).StoreAlignedNonTemporal(to + step);
            HostDoubles512.Narrow(p2, q2).StoreAlignedNonTemporal(to + 2 * step);
            HostDoubles512.Narrow(p3, q3).StoreAlignedNonTemporal(to + 3 * step);
            HostDoubles512.Narrow(p4, q4).StoreAlignedNonTemporal(to + 4 * step);
            HostDoubles512.Narrow(p5, q5).StoreAlignedNonTemporal(to + 5 * step);
        }
    }

    /// <summary>points[6i + j] = Σ G[i, r] · g[r, c] · G[j, c], for a vector of filters at once; points are a line apart.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransformLanes<TVector, TOps>(float* filters, nint tapStep, float* points)
        where TVector : struct
        where TOps : struct, IHostDoubles<TVector>
    {
        int taps = TFilter.Taps, lanes = TOps.Count, row = taps * lanes;
        float* stack = stackalloc float[2 * Winograd.Patch * taps * lanes + Line];
        double* between = (double*)HostMemory.AtLine(stack);
        for (int c = 0; c < taps; c++)
        {
            float* column = filters + c * tapStep;
            nint next = taps * tapStep;
            Expand<TVector, TOps>(TOps.Widen(column), TOps.Widen(column + next), TOps.Widen(column + 2 * next),
                taps == 5 ? TOps.Widen(column + 3 * next) : default, taps == 5 ? TOps.Widen(column + 4 * next) : default,
                out var p0, out var p1, out var p2, out var p3, out var p4, out var p5);
            double* to = between + c * lanes;
            TOps.Store(p0, to);
            TOps.Store(p1, to + row);
            TOps.Store(p2, to + 2 * row);
            TOps.Store(p3, to + 3 * row);
            TOps.Store(p4, to + 4 * row);
            TOps.Store(p5, to + 5 * row);
        }
        for (int i = 0; i < 6; i++)
        {
            double* line = between + i * row;
            Expand<TVector, TOps>(TOps.Load(line), TOps.Load(line + lanes), TOps.Load(line + 2 * lanes),
                taps == 5 ? TOps.Load(line + 3 * lanes) : default, taps == 5 ? TOps.Load(line + 4 * lanes) : default,
                out var p0, out var p1, out var p2, out var p3, out var p4, out var p5);
            float* to = points + 6 * i * Line;
            TOps.Narrow(p0, to);
            TOps.Narrow(p1, to + Line);
            TOps.Narrow(p2, to + 2 * Line);
            TOps.Narrow(p3, to + 3 * Line);
            TOps.Narrow(p4, to + 4 * Line);
            TOps.Narrow(p5, to + 5 * Line);
        }
    }

    /// <summary>G g; the points ±a share the even and the odd part of their polynomial, and so do ±b.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Expand<TVector, TOps>(TVector g0, TVector g1, TVector g2, TVector g3, TVector g4,
        out TVector p0, out TVector p1, out TVector p2, out TVector p3, out TVector p4, out TVector p5)
        where TVector : struct
        where TOps : struct, IHostDoubles<TVector>
    {
        const double a = Winograd.A, b = Winograd.B, nearA = 1 / (2 * a * a * (a * a - b * b)), nearB = 1 / (2 * b * b * (b * b - a * a));
        p0 = TOps.Multiply(g0, 1 / (a * a * b * b));
        TVector even = TOps.Add(TOps.Multiply(g0, nearA), TOps.Multiply(g2, nearA * a * a)), odd = TOps.Multiply(g1, nearA * a);
        if (TFilter.Taps == 5)
        {
            even = TOps.Add(even, TOps.Multiply(g4, nearA * a * a * a * a));
            odd = TOps.Add(odd, TOps.Multiply(g3, nearA * a * a * a));
        }
        p1 = TOps.Add(even, odd);
        p2 = TOps.Subtract(even, odd);
        even = TOps.Add(TOps.Multiply(g0, nearB), TOps.Multiply(g2, nearB * b * b));
        odd = TOps.Multiply(g1, nearB * b);
        if (TFilter.Taps == 5)
        {
            even = TOps.Add(even, TOps.Multiply(g4, nearB * b * b * b * b));
            odd = TOps.Add(odd, TOps.Multiply(g3, nearB * b * b * b));
        }
        p3 = TOps.Add(even, odd);
        p4 = TOps.Subtract(even, odd);
        p5 = TFilter.Taps == 5 ? g4 : g2;
    }
}
