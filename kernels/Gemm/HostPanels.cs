using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// How the columns of a product are cut into panels of 4, 2 or 1 vectors (4 with AVX-512 only: narrower machines lack the registers), and the
/// choice of the register tile by width. A panel is packed [k][panel width]; only the last one may hold columns of padding.
/// </summary>
internal static unsafe class HostPanels
{
    /// <summary>The widest panel in floats, on any machine.</summary>
    public const int MaxWidth = 64;

    /// <summary>Width of the panel that starts where <paramref name="remaining"/> columns are left.</summary>
    public static int Width(int remaining)
    {
        int lanes = HostSimd.Lanes;
        if (lanes == 16 && remaining >= 64)
            return 64;
        return remaining > lanes ? 2 * lanes : lanes;
    }

    /// <summary>Columns with the last panel's padding.</summary>
    public static int Padded(int columns)
    {
        int start = 0;
        while (start < columns)
            start += Width(columns - start);
        return start;
    }

    /// <summary>Panels of so many columns.</summary>
    public static int Count(int columns)
    {
        int count = 0;
        for (int start = 0; start < columns; start += Width(columns - start))
            count++;
        return count;
    }

    /// <summary>
    /// <see cref="MultiplyRuns"/> of one run, which asks meanwhile for what the next calls will read, if the panel is the widest: where that lies beyond the second-level cache the
    /// processor's own foresight ends at each page and row.
    /// </summary>
    /// <param name="nextA">The next rows of A, in one run.</param>
    /// <param name="nextB">A part of the next panel of B: <see cref="HostPrefetch.Line"/> · length floats.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MultiplyAhead(int width, float* a, int* rows, int length, float* b, float* c, float* nextA, float* nextB)
    {
        if (Vector512.IsHardwareAccelerated && width == 64)
            RegisterTile.MultiplyAhead4<Vector512<float>, HostVector512>(a, rows, length, b, c, width, nextA, nextB);
        else
            MultiplyRuns(width, a, rows, HostRuns.One(length), b, c, false);
    }

    /// <summary>
    /// Whether a product of so many rows and columns of B is best computed by <see cref="MultiplyBlocks"/>: with AVX2, if all panels are of two vectors. A register tile of AVX-512
    /// does four times the work for each number of A, so it never waits for their addresses.
    /// </summary>
    public static bool TakesBlocks(int rows, int columns)
        => !Vector512.IsHardwareAccelerated && Vector256.IsHardwareAccelerated && rows % RegisterTile.Depth == 0 && Padded(columns) % (2 * HostSimd.Lanes) == 0;

    /// <inheritdoc cref="RegisterTile.MultiplyBlocks2"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MultiplyBlocks(float* a, int length, float* b, float* c, int stride, float* nextA, float* nextB)
        => RegisterTile.MultiplyBlocks2<Vector256<float>, HostVector256>(a, length, b, c, stride, nextA, nextB);

    /// <inheritdoc cref="RegisterTile.MultiplyRuns1"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MultiplyRuns(int width, float* a, int* rows, in HostRuns runs, float* b, float* c, bool accumulate)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            if (width == 64)
                RegisterTile.MultiplyRuns4<Vector512<float>, HostVector512>(a, rows, runs, b, c, width, accumulate);
            else if (width == 32)
                RegisterTile.MultiplyRuns2<Vector512<float>, HostVector512>(a, rows, runs, b, c, width, accumulate);
            else
                RegisterTile.MultiplyRuns1<Vector512<float>, HostVector512>(a, rows, runs, b, c, width, accumulate);
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            if (width == 16)
                RegisterTile.MultiplyRuns2<Vector256<float>, HostVector256>(a, rows, runs, b, c, width, accumulate);
            else
                RegisterTile.MultiplyRuns1<Vector256<float>, HostVector256>(a, rows, runs, b, c, width, accumulate);
        }
        else if (width == 8)
            RegisterTile.MultiplyRuns2<Vector128<float>, HostVector128>(a, rows, runs, b, c, width, accumulate);
        else
            RegisterTile.MultiplyRuns1<Vector128<float>, HostVector128>(a, rows, runs, b, c, width, accumulate);
    }

    /// <summary>Whether <see cref="MultiplyFinished"/> asks for what comes next when it is told to.</summary>
    public static bool FinishedAsks(int width) => !Vector512.IsHardwareAccelerated && Vector256.IsHardwareAccelerated && width == 16;

    /// <inheritdoc cref="FinishedTile.Multiply2"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MultiplyFinished(int width, float* a, int* rows, in HostRuns runs, float* b, float* sums, float* bias, bool relu, float* c, int* places, bool asks = false, float* nextA = null)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            if (width == 64)
                FinishedTile.Multiply4<Vector512<float>, HostVector512>(a, rows, runs, b, sums, bias, relu, c, places);
            else if (width == 32)
                FinishedTile.Multiply2<Vector512<float>, HostVector512>(a, rows, runs, b, sums, bias, relu, c, places);
            else
                FinishedTile.Multiply1<Vector512<float>, HostVector512>(a, rows, runs, b, sums, bias, relu, c, places);
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            if (width == 16)
                FinishedTile.Multiply2<Vector256<float>, HostVector256>(a, rows, runs, b, sums, bias, relu, c, places, asks, nextA);
            else
                FinishedTile.Multiply1<Vector256<float>, HostVector256>(a, rows, runs, b, sums, bias, relu, c, places);
        }
        else if (width == 8)
            FinishedTile.Multiply2<Vector128<float>, HostVector128>(a, rows, runs, b, sums, bias, relu, c, places);
        else
            FinishedTile.Multiply1<Vector128<float>, HostVector128>(a, rows, runs, b, sums, bias, relu, c, places);
    }

    /// <param name="ahead">What will be read after the next calls, in one run: a line of it is asked for at each step of k, if the panel is the widest. Null: nothing.</param>
    /// <inheritdoc cref="RegisterTile.MultiplyOuter1"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MultiplyOuter(int width, float* a, int* rows, int lines, nint lineStep, int length, nint aStep, float* b, nint bStep, float* c, int stride, float* ahead = null)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            if (width == 64)
                RegisterTile.MultiplyOuter4<Vector512<float>, HostVector512>(a, rows, lines, lineStep, length, aStep, b, bStep, c, stride, ahead == null ? b : ahead);
            else if (width == 32)
                RegisterTile.MultiplyOuter2<Vector512<float>, HostVector512>(a, rows, lines, lineStep, length, aStep, b, bStep, c, stride);
            else
                RegisterTile.MultiplyOuter1<Vector512<float>, HostVector512>(a, rows, lines, lineStep, length, aStep, b, bStep, c, stride);
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            if (width == 16)
                RegisterTile.MultiplyOuter2<Vector256<float>, HostVector256>(a, rows, lines, lineStep, length, aStep, b, bStep, c, stride);
            else
                RegisterTile.MultiplyOuter1<Vector256<float>, HostVector256>(a, rows, lines, lineStep, length, aStep, b, bStep, c, stride);
        }
        else if (width == 8)
            RegisterTile.MultiplyOuter2<Vector128<float>, HostVector128>(a, rows, lines, lineStep, length, aStep, b, bStep, c, stride);
        else
            RegisterTile.MultiplyOuter1<Vector128<float>, HostVector128>(a, rows, lines, lineStep, length, aStep, b, bStep, c, stride);
    }

    /// <summary>to[i·toStride + j] = from[i·fromStride + j] (+ bias[j]), then max(0, ·) if <paramref name="relu"/>; rows × count numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Finish(float* from, int fromStride, float* bias, bool relu, float* to, int toStride, int rows, int count)
    {
        for (int row = 0; row < rows; row++, from += fromStride, to += toStride)
        {
            int j = 0;
            if (Vector512.IsHardwareAccelerated)
                Finish<Vector512<float>, HostVector512>(from, bias, relu, to, count, ref j);
            if (Vector256.IsHardwareAccelerated)
                Finish<Vector256<float>, HostVector256>(from, bias, relu, to, count, ref j);
            if (Vector128.IsHardwareAccelerated)
                Finish<Vector128<float>, HostVector128>(from, bias, relu, to, count, ref j);
            for (; j < count; j++)
            {
                float value = bias == null ? from[j] : from[j] + bias[j];
                to[j] = relu && value < 0 ? 0 : value;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish<TVector, TOps>(float* from, float* bias, bool relu, float* to, int count, ref int j)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
    {
        for (; j <= count - TOps.Count; j += TOps.Count)
        {
            var value = TOps.Load(from + j);
            if (bias != null)
                value = TOps.Add(value, TOps.Load(bias + j));
            if (relu)
                value = TOps.Relu(value);
            TOps.Store(value, to + j);
        }
    }

    /// <summary>to[j] += Σ_i from[i·stride + j], rows in order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void SumRows(float* from, long stride, int rows, float* to, int columns)
    {
        int j = 0;
        if (Vector512.IsHardwareAccelerated)
            SumRows<Vector512<float>, HostVector512>(from, stride, rows, to, columns, ref j);
        if (Vector256.IsHardwareAccelerated)
            SumRows<Vector256<float>, HostVector256>(from, stride, rows, to, columns, ref j);
        if (Vector128.IsHardwareAccelerated)
            SumRows<Vector128<float>, HostVector128>(from, stride, rows, to, columns, ref j);
        for (; j < columns; j++)
            for (int i = 0; i < rows; i++)
                to[j] += from[i * stride + j];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void SumRows<TVector, TOps>(float* from, long stride, int rows, float* to, int columns, ref int j)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
    {
        for (; j <= columns - TOps.Count; j += TOps.Count)
        {
            var sum = TOps.Load(to + j);
            float* at = from + j;
            for (int i = 0; i < rows; i++, at += stride)
                sum = TOps.Add(sum, TOps.Load(at));
            TOps.Store(sum, to + j);
        }
    }
}
