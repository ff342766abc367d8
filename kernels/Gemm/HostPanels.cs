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

    /// <inheritdoc cref="RegisterTile.MultiplyOuter1"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MultiplyOuter(int width, float* a, int* rows, nint aStep, float* b, nint bStep, int length, float* c, int stride)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            if (width == 64)
                RegisterTile.MultiplyOuter4<Vector512<float>, HostVector512>(a, rows, aStep, b, bStep, length, c, stride, true);
            else if (width == 32)
                RegisterTile.MultiplyOuter2<Vector512<float>, HostVector512>(a, rows, aStep, b, bStep, length, c, stride, true);
            else
                RegisterTile.MultiplyOuter1<Vector512<float>, HostVector512>(a, rows, aStep, b, bStep, length, c, stride, true);
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            if (width == 16)
                RegisterTile.MultiplyOuter2<Vector256<float>, HostVector256>(a, rows, aStep, b, bStep, length, c, stride, true);
            else
                RegisterTile.MultiplyOuter1<Vector256<float>, HostVector256>(a, rows, aStep, b, bStep, length, c, stride, true);
        }
        else if (width == 8)
            RegisterTile.MultiplyOuter2<Vector128<float>, HostVector128>(a, rows, aStep, b, bStep, length, c, stride, true);
        else
            RegisterTile.MultiplyOuter1<Vector128<float>, HostVector128>(a, rows, aStep, b, bStep, length, c, stride, true);
    }

    /// <summary>to[j] = from[j] (+ bias[j]), then max(0, ·) if <paramref name="relu"/>; count numbers.</summary>
    public static void Finish(float* from, float* bias, bool relu, float* to, int count)
    {
        int j = 0;
        if (Vector512.IsHardwareAccelerated)
            j = Finish<Vector512<float>, HostVector512>(from, bias, relu, to, count);
        else if (Vector256.IsHardwareAccelerated)
            j = Finish<Vector256<float>, HostVector256>(from, bias, relu, to, count);
        for (; j < count; j++)
        {
            float value = bias == null ? from[j] : from[j] + bias[j];
            to[j] = relu && value < 0 ? 0 : value;
        }
    }

    private static int Finish<TVector, TOps>(float* from, float* bias, bool relu, float* to, int count)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
    {
        int j = 0;
        for (; j <= count - TOps.Count; j += TOps.Count)
        {
            var value = TOps.Load(from + j);
            if (bias != null)
                value = TOps.Add(value, TOps.Load(bias + j));
            if (relu)
                value = TOps.Max(value, default);
            TOps.Store(value, to + j);
        }
        return j;
    }
}
