using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// The register tiles of <see cref="RegisterTile"/> and <see cref="FinishedTile"/> with AVX-512 for a panel of which 17 to 24 columns are used: a vector of 16 and one of 8 where two of 16 would be, the second half
/// empty. AMD's processors of AVX-512 at half width take three quarters of the time; others gain that sums of 24 columns leave the registers finished. Panels of B and sums stay 32 columns wide where nothing else is said, and each number of C is summed
/// over k in the same order.
/// </summary>
internal static unsafe class MixedTile
{
    /// <summary>Columns that are computed.</summary>
    public const int Columns = 24;

    /// <summary>Columns of a panel of B and of the sums; those of the wider vector.</summary>
    private const int Width = 32, Wide = 16;

    /// <summary>Steps of k in a turn of the loop.</summary>
    private const int Unrolled = 4;

    /// <summary>Whether so many columns that are left are computed here.</summary>
    public static bool Takes(int columns) => Vector512.IsHardwareAccelerated && columns is > Wide and <= Columns;

    /// <summary>C[i, 0 … 24) = Σ over runs and k of a[rows[i] + run + k] · b[k, …], and what C held before if <paramref name="accumulate"/>; rows of C lie 32 apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MultiplyRuns(float* a, int* rows, in HostRuns runs, float* b, float* c, bool accumulate)
    {
        Sums sums = default;
        if (accumulate)
            sums.Load(c, Width);
        Multiply(ref sums, a, rows, runs, b);
        sums.Store(c, Width);
    }

    /// <summary>c[places[i] + 0 … 24) = act(before[i·32 + …] + Σ over runs and k of a[rows[i] + run + k] · b[k, …] + bias[…]).</summary>
    /// <param name="before">What the steps of k before made; null for zeros.</param>
    /// <param name="bias">Null for none.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MultiplyFinished(float* a, int* rows, in HostRuns runs, float* b, float* before, float* bias, bool relu, float* c, int* places)
    {
        Sums sums = default;
        if (before != null)
            sums.Load(before, Width);
        Multiply(ref sums, a, rows, runs, b);
        if (bias != null)
            sums.Add(Vector512.Load(bias), Vector256.Load(bias + Wide));
        if (relu)
            sums.Relu();
        sums.Store(c, places);
    }

    /// <summary>C[i, 0 … 24) += Σ over lines and k of a[rows[i] + line·lineStep + k·aStep] · b[(line·length + k)·bStep + …] (rows[0] is 0); rows of C are <paramref name="stride"/> apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MultiplyOuter(float* a, int* rows, int lines, nint lineStep, int length, nint aStep, float* b, nint bStep, float* c, int stride)
    {
        Sums sums = default;
        sums.Load(c, stride);
        nint o1 = rows[1], o2 = rows[2], o3 = rows[3], o4 = rows[4], o5 = rows[5];
        lineStep -= length * aStep;
        for (int line = 0; line < lines; line++, a += lineStep)
            for (int k = 0; k < length; k++, a += aStep, b += bStep)
                sums.Step(a, a + o1, a + o2, a + o3, a + o4, a + o5, b);
        sums.Store(c, stride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Multiply(ref Sums sums, float* a, int* rows, in HostRuns runs, float* b)
    {
        for (int run = 0; run < runs.Count; run++)
        {
            float* from = a + (nint)run * runs.Step;
            float* a0 = from + rows[0], a1 = from + rows[1], a2 = from + rows[2], a3 = from + rows[3], a4 = from + rows[4], a5 = from + rows[5];
            nint k = 0;
            for (nint whole = runs.Length - (Unrolled - 1); k < whole; k += Unrolled, b += Unrolled * Width)
            {
                sums.Step(a0 + k, a1 + k, a2 + k, a3 + k, a4 + k, a5 + k, b);
                sums.Step(a0 + k + 1, a1 + k + 1, a2 + k + 1, a3 + k + 1, a4 + k + 1, a5 + k + 1, b + Width);
                sums.Step(a0 + k + 2, a1 + k + 2, a2 + k + 2, a3 + k + 2, a4 + k + 2, a5 + k + 2, b + 2 * Width);
                sums.Step(a0 + k + 3, a1 + k + 3, a2 + k + 3, a3 + k + 3, a4 + k + 3, a5 + k + 3, b + 3 * Width);
            }
            for (; k < runs.Length; k++, b += Width)
                sums.Step(a0 + k, a1 + k, a2 + k, a3 + k, a4 + k, a5 + k, b);
        }
    }

    /// <summary>The tile: of each row a vector of 16 and one of 8.</summary>
    private struct Sums
    {
        private Vector512<float> c0, c1, c2, c3, c4, c5;
        private Vector256<float> d0, d1, d2, d3, d4, d5;

        /// <summary>One step of k.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step(float* a0, float* a1, float* a2, float* a3, float* a4, float* a5, float* b)
        {
            Vector512<float> wide = Vector512.Load(b), x;
            Vector256<float> narrow = Vector256.Load(b + Wide);
            x = Vector512.Create(*a0);
            c0 = Vector512.MultiplyAddEstimate(x, wide, c0);
            d0 = Vector256.MultiplyAddEstimate(x.GetLower(), narrow, d0);
            x = Vector512.Create(*a1);
            c1 = Vector512.MultiplyAddEstimate(x, wide, c1);
            d1 = Vector256.MultiplyAddEstimate(x.GetLower(), narrow, d1);
            x = Vector512.Create(*a2);
            c2 = Vector512.MultiplyAddEstimate(x, wide, c2);
            d2 = Vector256.MultiplyAddEstimate(x.GetLower(), narrow, d2);
            x = Vector512.Create(*a3);
            c3 = Vector512.MultiplyAddEstimate(x, wide, c3);
            d3 = Vector256.MultiplyAddEstimate(x.GetLower(), narrow, d3);
            x = Vector512.Create(*a4);
            c4 = Vector512.MultiplyAddEstimate(x, wide, c4);
            d4 = Vector256.MultiplyAddEstimate(x.GetLower(), narrow, d4);
            x = Vector512.Create(*a5);
            c5 = Vector512.MultiplyAddEstimate(x, wide, c5);
            d5 = Vector256.MultiplyAddEstimate(x.GetLower(), narrow, d5);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Load(float* from, int stride)
        {
            c0 = Vector512.Load(from); d0 = Vector256.Load(from + Wide);
            c1 = Vector512.Load(from + stride); d1 = Vector256.Load(from + stride + Wide);
            c2 = Vector512.Load(from + 2 * stride); d2 = Vector256.Load(from + 2 * stride + Wide);
            c3 = Vector512.Load(from + 3 * stride); d3 = Vector256.Load(from + 3 * stride + Wide);
            c4 = Vector512.Load(from + 4 * stride); d4 = Vector256.Load(from + 4 * stride + Wide);
            c5 = Vector512.Load(from + 5 * stride); d5 = Vector256.Load(from + 5 * stride + Wide);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void Store(float* to, int stride)
        {
            c0.Store(to); d0.Store(to + Wide);
            c1.Store(to + stride); d1.Store(to + stride + Wide);
            c2.Store(to + 2 * stride); d2.Store(to + 2 * stride + Wide);
            c3.Store(to + 3 * stride); d3.Store(to + 3 * stride + Wide);
            c4.Store(to + 4 * stride); d4.Store(to + 4 * stride + Wide);
            c5.Store(to + 5 * stride); d5.Store(to + 5 * stride + Wide);
        }

        /// <summary>Each row to a place of its own; of places that are the same the last row counts.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void Store(float* to, int* places)
        {
            c0.Store(to + places[0]); d0.Store(to + places[0] + Wide);
            c1.Store(to + places[1]); d1.Store(to + places[1] + Wide);
            c2.Store(to + places[2]); d2.Store(to + places[2] + Wide);
            c3.Store(to + places[3]); d3.Store(to + places[3] + Wide);
            c4.Store(to + places[4]); d4.Store(to + places[4] + Wide);
            c5.Store(to + places[5]); d5.Store(to + places[5] + Wide);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Add(Vector512<float> wide, Vector256<float> narrow)
        {
            c0 += wide; d0 += narrow;
            c1 += wide; d1 += narrow;
            c2 += wide; d2 += narrow;
            c3 += wide; d3 += narrow;
            c4 += wide; d4 += narrow;
            c5 += wide; d5 += narrow;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Relu()
        {
            c0 = HostVector512.Relu(c0); d0 = HostVector256.Relu(d0);
            c1 = HostVector512.Relu(c1); d1 = HostVector256.Relu(d1);
            c2 = HostVector512.Relu(c2); d2 = HostVector256.Relu(d2);
            c3 = HostVector512.Relu(c3); d3 = HostVector256.Relu(d3);
            c4 = HostVector512.Relu(c4); d4 = HostVector256.Relu(d4);
            c5 = HostVector512.Relu(c5); d5 = HostVector256.Relu(d5);
        }
    }
}
