using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// A register tile of 12 rows by one vector of 8 columns, for convolutions in groups of few channels. <see cref="RegisterTile"/>'s 6 rows of one vector wait for their own sums, and a vector of 16 would be half
/// empty. Rows lie a distance apart that is known when the body is compiled, so that one register holds the address of all of them: twelve would not fit beside the loop's own, and reading an address for each number
/// of A would take as many loads again. A step of k loads one vector and 12 numbers for 12 multiply-adds of 8. Each number of C is summed over k in the same order.
/// </summary>
internal static unsafe class TallTile
{
    public const int Rows = 12, Columns = 8;

    /// <summary>Steps of k in a turn of the loop.</summary>
    private const int Unrolled = 4;

    /// <summary>Whether there is a body for so many columns of B and rows of A so many floats apart.</summary>
    public static bool Takes(int columns, int distance) => Vector256.IsHardwareAccelerated && columns <= Columns && distance is 4 or 8 or 16 or 32;

    /// <summary>c[i·stride + 0 … used) = act(Σ over runs and k of a[i·distance + run + k] · b[k·width + …] + bias[…]), i below 12.</summary>
    /// <param name="distance">Of <see cref="Takes"/>.</param>
    /// <param name="width">Floats of a row of b, the first 8 of which are read.</param>
    /// <param name="bias">Null for none; 8 numbers are read where all columns are used, else as many.</param>
    /// <param name="used">Columns that are written, 1 … 8.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Multiply(int distance, float* a, in HostRuns runs, float* b, nint width, float* bias, bool relu, float* c, nint stride, int used)
    {
        switch (distance)
        {
            case 4:
                Multiply<Distance4>(a, runs, b, width, bias, relu, c, stride, used);
                break;
            case 8:
                Multiply<Distance8>(a, runs, b, width, bias, relu, c, stride, used);
                break;
            case 16:
                Multiply<Distance16>(a, runs, b, width, bias, relu, c, stride, used);
                break;
            default:
                Multiply<Distance32>(a, runs, b, width, bias, relu, c, stride, used);
                break;
        }
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply<TDistance>(float* a, in HostRuns runs, float* b, nint width, float* bias, bool relu, float* c, nint stride, int used)
        where TDistance : struct, IDistance
    {
        Vector256<float> c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11;
        c0 = c1 = c2 = c3 = c4 = c5 = c6 = c7 = c8 = c9 = c10 = c11 = default;
        for (int run = 0; run < runs.Count; run++)
        {
            float* from = a + (nint)run * runs.Step;
            int k = 0;
            for (; k <= runs.Length - Unrolled; k += Unrolled, from += Unrolled, b += Unrolled * width)
            {
                Step<TDistance>(from, b, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9, ref c10, ref c11);
                Step<TDistance>(from + 1, b + width, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9, ref c10, ref c11);
                Step<TDistance>(from + 2, b + 2 * width, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9, ref c10, ref c11);
                Step<TDistance>(from + 3, b + 3 * width, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9, ref c10, ref c11);
            }
            for (; k < runs.Length; k++, from++, b += width)
                Step<TDistance>(from, b, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9, ref c10, ref c11);
        }
        if (bias != null)
        {
            var add = used == Columns ? Vector256.Load(bias) : Some(bias, used);
            c0 += add; c1 += add; c2 += add; c3 += add; c4 += add; c5 += add;
            c6 += add; c7 += add; c8 += add; c9 += add; c10 += add; c11 += add;
        }
        if (relu)
        {
            c0 = HostVector256.Relu(c0); c1 = HostVector256.Relu(c1); c2 = HostVector256.Relu(c2); c3 = HostVector256.Relu(c3);
            c4 = HostVector256.Relu(c4); c5 = HostVector256.Relu(c5); c6 = HostVector256.Relu(c6); c7 = HostVector256.Relu(c7);
            c8 = HostVector256.Relu(c8); c9 = HostVector256.Relu(c9); c10 = HostVector256.Relu(c10); c11 = HostVector256.Relu(c11);
        }
        float* some = stackalloc float[Rows * Columns];
        float* to = used == Columns ? c : some;
        nint step = used == Columns ? stride : Columns;
        c0.Store(to); c1.Store(to + step); c2.Store(to + 2 * step); c3.Store(to + 3 * step);
        to += 4 * step;
        c4.Store(to); c5.Store(to + step); c6.Store(to + 2 * step); c7.Store(to + 3 * step);
        to += 4 * step;
        c8.Store(to); c9.Store(to + step); c10.Store(to + 2 * step); c11.Store(to + 3 * step);
        for (int i = 0; i < Rows && used < Columns; i++)
            new ReadOnlySpan<float>(some + i * Columns, used).CopyTo(new Span<float>(c + i * stride, used));
    }

    /// <summary>One step of k.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step<TDistance>(
        float* a, float* b, ref Vector256<float> c0, ref Vector256<float> c1, ref Vector256<float> c2, ref Vector256<float> c3, ref Vector256<float> c4, ref Vector256<float> c5,
        ref Vector256<float> c6, ref Vector256<float> c7, ref Vector256<float> c8, ref Vector256<float> c9, ref Vector256<float> c10, ref Vector256<float> c11)
        where TDistance : struct, IDistance
    {
        var row = Vector256.Load(b);
        c0 = Vector256.MultiplyAddEstimate(Vector256.Create(a[0]), row, c0);
        c1 = Vector256.MultiplyAddEstimate(Vector256.Create(a[TDistance.Floats]), row, c1);
        c2 = Vector256.MultiplyAddEstimate(Vector256.Create(a[2 * TDistance.Floats]), row, c2);
        c3 = Vector256.MultiplyAddEstimate(Vector256.Create(a[3 * TDistance.Floats]), row, c3);
        c4 = Vector256.MultiplyAddEstimate(Vector256.Create(a[4 * TDistance.Floats]), row, c4);
        c5 = Vector256.MultiplyAddEstimate(Vector256.Create(a[5 * TDistance.Floats]), row, c5);
        c6 = Vector256.MultiplyAddEstimate(Vector256.Create(a[6 * TDistance.Floats]), row, c6);
        c7 = Vector256.MultiplyAddEstimate(Vector256.Create(a[7 * TDistance.Floats]), row, c7);
        c8 = Vector256.MultiplyAddEstimate(Vector256.Create(a[8 * TDistance.Floats]), row, c8);
        c9 = Vector256.MultiplyAddEstimate(Vector256.Create(a[9 * TDistance.Floats]), row, c9);
        c10 = Vector256.MultiplyAddEstimate(Vector256.Create(a[10 * TDistance.Floats]), row, c10);
        c11 = Vector256.MultiplyAddEstimate(Vector256.Create(a[11 * TDistance.Floats]), row, c11);
    }

    /// <summary>Fewer numbers than a vector holds, zeros behind them.</summary>
    private static Vector256<float> Some(float* from, int count)
    {
        Vector256<float> vector = default;
        for (int i = 0; i < count; i++)
            vector = vector.WithElement(i, from[i]);
        return vector;
    }

    /// <summary>How far apart rows of A lie.</summary>
    private interface IDistance
    {
        static abstract int Floats { get; }
    }

    private readonly struct Distance4 : IDistance
    {
        public static int Floats => 4;
    }

    private readonly struct Distance8 : IDistance
    {
        public static int Floats => 8;
    }

    private readonly struct Distance16 : IDistance
    {
        public static int Floats => 16;
    }

    private readonly struct Distance32 : IDistance
    {
        public static int Floats => 32;
    }
}
