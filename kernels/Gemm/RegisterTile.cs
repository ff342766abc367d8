using System.Runtime.CompilerServices;

namespace IlgpuNetVlad.Kernels;

/// <summary>Where the k-dimension of a product lies in A's rows: <see cref="Count"/> runs of <see cref="Length"/> neighbouring floats.</summary>
/// <param name="Step">Floats from one run's start to the next one's.</param>
internal readonly record struct HostRuns(int Count, int Length, int Step)
{
    /// <summary>All of k in one run.</summary>
    public static HostRuns One(int length) => new(1, length, 0);
}

/// <summary>
/// The register tiles that every product of the Host variants is made of: 6 rows × 1, 2 or 4 vectors of C stay in registers while k runs.
/// 6 × 4 takes 24 accumulators + 4 + 1 of the 32 AVX-512 registers, 6 × 2 takes 12 + 2 + 1 of the 16 AVX2 ones. A step of k loads the
/// vectors of B, broadcasts 6 numbers of A and does 6·vectors multiply-adds; B is packed [k][vectors·width], so it streams. Each number of C is
/// summed over k in order, whatever its place in a tile: that is why a result never depends on how work is cut.
/// </summary>
internal static unsafe class RegisterTile
{
    public const int Rows = 6;

    /// <summary>Columns of A in a block of <see cref="MultiplyBlocks2"/>.</summary>
    public const int Depth = 8;

    /// <summary>C[i, 0 … 1·width) (+)= Σ over runs and k of a[rows[i] + run + k] · b[k, …]; rows of C are <paramref name="stride"/> apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MultiplyRuns1<TVector, TOps>(float* a, int* rows, in HostRuns runs, float* b, float* c, int stride, bool accumulate)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
    {
        TVector c00, c10, c20, c30, c40, c50;
        int width = TOps.Count;
        if (accumulate)
        {
            c00 = TOps.Load(c + 0 * stride);
            c10 = TOps.Load(c + 1 * stride);
            c20 = TOps.Load(c + 2 * stride);
            c30 = TOps.Load(c + 3 * stride);
            c40 = TOps.Load(c + 4 * stride);
            c50 = TOps.Load(c + 5 * stride);
        }
        else
        {
            c00 = c10 = c20 = c30 = c40 = c50 = default;
        }
        for (int run = 0; run < runs.Count; run++)
        {
            float* from = a + (nint)run * runs.Step;
            float* a0 = from + rows[0], a1 = from + rows[1], a2 = from + rows[2], a3 = from + rows[3], a4 = from + rows[4], a5 = from + rows[5];
            for (int k = 0; k < runs.Length; k++)
            {
                var b0 = TOps.Load(b);
                b += width;
                var x = TOps.Broadcast(a0[k]);
                c00 = TOps.MultiplyAdd(x, b0, c00);
                x = TOps.Broadcast(a1[k]);
                c10 = TOps.MultiplyAdd(x, b0, c10);
                x = TOps.Broadcast(a2[k]);
                c20 = TOps.MultiplyAdd(x, b0, c20);
                x = TOps.Broadcast(a3[k]);
                c30 = TOps.MultiplyAdd(x, b0, c30);
                x = TOps.Broadcast(a4[k]);
                c40 = TOps.MultiplyAdd(x, b0, c40);
                x = TOps.Broadcast(a5[k]);
                c50 = TOps.MultiplyAdd(x, b0, c50);
            }
        }
        TOps.Store(c00, c);
        TOps.Store(c10, c + stride);
        TOps.Store(c20, c + 2 * stride);
        TOps.Store(c30, c + 3 * stride);
        TOps.Store(c40, c + 4 * stride);
        TOps.Store(c50, c + 5 * stride);
    }

    /// <summary>C[i, 0 … 2·width) (+)= Σ over runs and k of a[rows[i] + run + k] · b[k, …]; rows of C are <paramref name="stride"/> apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MultiplyRuns2<TVector, TOps>(float* a, int* rows, in HostRuns runs, float* b, float* c, int stride, bool accumulate)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
    {
        TVector c00, c01, c10, c11, c20, c21, c30, c31, c40, c41, c50, c51;
        int width = TOps.Count;
        if (accumulate)
        {
            c00 = TOps.Load(c + 0 * stride); c01 = TOps.Load(c + 0 * stride + width);
            c10 = TOps.Load(c + 1 * stride); c11 = TOps.Load(c + 1 * stride + width);
            c20 = TOps.Load(c + 2 * stride); c21 = TOps.Load(c + 2 * stride + width);
            c30 = TOps.Load(c + 3 * stride); c31 = TOps.Load(c + 3 * stride + width);
            c40 = TOps.Load(c + 4 * stride); c41 = TOps.Load(c + 4 * stride + width);
            c50 = TOps.Load(c + 5 * stride); c51 = TOps.Load(c + 5 * stride + width);
        }
        else
        {
            c00 = c01 = c10 = c11 = c20 = c21 = c30 = c31 = c40 = c41 = c50 = c51 = default;
        }
        for (int run = 0; run < runs.Count; run++)
        {
            float* from = a + (nint)run * runs.Step;
            float* a0 = from + rows[0], a1 = from + rows[1], a2 = from + rows[2], a3 = from + rows[3], a4 = from + rows[4], a5 = from + rows[5];
            for (int k = 0; k < runs.Length; k++)
            {
                var b0 = TOps.Load(b);
                var b1 = TOps.Load(b + width);
                b += 2 * width;
                var x = TOps.Broadcast(a0[k]);
                c00 = TOps.MultiplyAdd(x, b0, c00);
                c01 = TOps.MultiplyAdd(x, b1, c01);
                x = TOps.Broadcast(a1[k]);
                c10 = TOps.MultiplyAdd(x, b0, c10);
                c11 = TOps.MultiplyAdd(x, b1, c11);
                x = TOps.Broadcast(a2[k]);
                c20 = TOps.MultiplyAdd(x, b0, c20);
                c21 = TOps.MultiplyAdd(x, b1, c21);
                x = TOps.Broadcast(a3[k]);
                c30 = TOps.MultiplyAdd(x, b0, c30);
                c31 = TOps.MultiplyAdd(x, b1, c31);
                x = TOps.Broadcast(a4[k]);
                c40 = TOps.MultiplyAdd(x, b0, c40);
                c41 = TOps.MultiplyAdd(x, b1, c41);
                x = TOps.Broadcast(a5[k]);
                c50 = TOps.MultiplyAdd(x, b0, c50);
                c51 = TOps.MultiplyAdd(x, b1, c51);
            }
        }
        TOps.Store(c00, c); TOps.Store(c01, c + width);
        TOps.Store(c10, c + stride); TOps.Store(c11, c + stride + width);
        TOps.Store(c20, c + 2 * stride); TOps.Store(c21, c + 2 * stride + width);
        TOps.Store(c30, c + 3 * stride); TOps.Store(c31, c + 3 * stride + width);
        TOps.Store(c40, c + 4 * stride); TOps.Store(c41, c + 4 * stride + width);
        TOps.Store(c50, c + 5 * stride); TOps.Store(c51, c + 5 * stride + width);
    }

    /// <summary>C[i, 0 … 4·width) (+)= Σ over runs and k of a[rows[i] + run + k] · b[k, …]; rows of C are <paramref name="stride"/> apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MultiplyRuns4<TVector, TOps>(float* a, int* rows, in HostRuns runs, float* b, float* c, int stride, bool accumulate)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
    {
        TVector c00, c01, c02, c03, c10, c11, c12, c13, c20, c21, c22, c23, c30, c31, c32, c33, c40, c41, c42, c43, c50, c51, c52, c53;
        int width = TOps.Count;
        if (accumulate)
        {
            c00 = TOps.Load(c + 0 * stride); c01 = TOps.Load(c + 0 * stride + width); c02 = TOps.Load(c + 0 * stride + 2 * width); c03 = TOps.Load(c + 0 * stride + 3 * width);
            c10 = TOps.Load(c + 1 * stride); c11 = TOps.Load(c + 1 * stride + width); c12 = TOps.Load(c + 1 * stride + 2 * width); c13 = TOps.Load(c + 1 * stride + 3 * width);
            c20 = TOps.Load(c + 2 * stride); c21 = TOps.Load(c + 2 * stride + width); c22 = TOps.Load(c + 2 * stride + 2 * width); c23 = TOps.Load(c + 2 * stride + 3 * width);
            c30 = TOps.Load(c + 3 * stride); c31 = TOps.Load(c + 3 * stride + width); c32 = TOps.Load(c + 3 * stride + 2 * width); c33 = TOps.Load(c + 3 * stride + 3 * width);
            c40 = TOps.Load(c + 4 * stride); c41 = TOps.Load(c + 4 * stride + width); c42 = TOps.Load(c + 4 * stride + 2 * width); c43 = TOps.Load(c + 4 * stride + 3 * width);
            c50 = TOps.Load(c + 5 * stride); c51 = TOps.Load(c + 5 * stride + width); c52 = TOps.Load(c + 5 * stride + 2 * width); c53 = TOps.Load(c + 5 * stride + 3 * width);
        }
        else
        {
            c00 = c01 = c02 = c03 = c10 = c11 = c12 = c13 = c20 = c21 = c22 = c23 = c30 = c31 = c32 = c33 = c40 = c41 = c42 = c43 = c50 = c51 = c52 = c53 = default;
        }
        for (int run = 0; run < runs.Count; run++)
        {
            float* from = a + (nint)run * runs.Step;
            float* a0 = from + rows[0], a1 = from + rows[1], a2 = from + rows[2], a3 = from + rows[3], a4 = from + rows[4], a5 = from + rows[5];
            for (int k = 0; k < runs.Length; k++)
            {
                var b0 = TOps.Load(b);
                var b1 = TOps.Load(b + width);
                var b2 = TOps.Load(b + 2 * width);
                var b3 = TOps.Load(b + 3 * width);
                b += 4 * width;
                var x = TOps.Broadcast(a0[k]);
                c00 = TOps.MultiplyAdd(x, b0, c00);
                c01 = TOps.MultiplyAdd(x, b1, c01);
                c02 = TOps.MultiplyAdd(x, b2, c02);
                c03 = TOps.MultiplyAdd(x, b3, c03);
                x = TOps.Broadcast(a1[k]);
                c10 = TOps.MultiplyAdd(x, b0, c10);
                c11 = TOps.MultiplyAdd(x, b1, c11);
                c12 = TOps.MultiplyAdd(x, b2, c12);
                c13 = TOps.MultiplyAdd(x, b3, c13);
                x = TOps.Broadcast(a2[k]);
                c20 = TOps.MultiplyAdd(x, b0, c20);
                c21 = TOps.MultiplyAdd(x, b1, c21);
                c22 = TOps.MultiplyAdd(x, b2, c22);
                c23 = TOps.MultiplyAdd(x, b3, c23);
                x = TOps.Broadcast(a3[k]);
                c30 = TOps.MultiplyAdd(x, b0, c30);
                c31 = TOps.MultiplyAdd(x, b1, c31);
                c32 = TOps.MultiplyAdd(x, b2, c32);
                c33 = TOps.MultiplyAdd(x, b3, c33);
                x = TOps.Broadcast(a4[k]);
                c40 = TOps.MultiplyAdd(x, b0, c40);
                c41 = TOps.MultiplyAdd(x, b1, c41);
                c42 = TOps.MultiplyAdd(x, b2, c42);
                c43 = TOps.MultiplyAdd(x, b3, c43);
                x = TOps.Broadcast(a5[k]);
                c50 = TOps.MultiplyAdd(x, b0, c50);
                c51 = TOps.MultiplyAdd(x, b1, c51);
                c52 = TOps.MultiplyAdd(x, b2, c52);
                c53 = TOps.MultiplyAdd(x, b3, c53);
            }
        }
        TOps.Store(c00, c); TOps.Store(c01, c + width); TOps.Store(c02, c + 2 * width); TOps.Store(c03, c + 3 * width);
        TOps.Store(c10, c + stride); TOps.Store(c11, c + stride + width); TOps.Store(c12, c + stride + 2 * width); TOps.Store(c13, c + stride + 3 * width);
        TOps.Store(c20, c + 2 * stride); TOps.Store(c21, c + 2 * stride + width); TOps.Store(c22, c + 2 * stride + 2 * width); TOps.Store(c23, c + 2 * stride + 3 * width);
        TOps.Store(c30, c + 3 * stride); TOps.Store(c31, c + 3 * stride + width); TOps.Store(c32, c + 3 * stride + 2 * width); TOps.Store(c33, c + 3 * stride + 3 * width);
        TOps.Store(c40, c + 4 * stride); TOps.Store(c41, c + 4 * stride + width); TOps.Store(c42, c + 4 * stride + 2 * width); TOps.Store(c43, c + 4 * stride + 3 * width);
        TOps.Store(c50, c + 5 * stride); TOps.Store(c51, c + 5 * stride + width); TOps.Store(c52, c + 5 * stride + 2 * width); TOps.Store(c53, c + 5 * stride + 3 * width);
    }

    /// <summary>
    /// C[i, 0 … 4·width) = Σ over k of a[rows[i] + k] · b[k, …], as <see cref="MultiplyRuns4"/>; meanwhile 8·length floats from <paramref name="nextA"/> and 16·length from
    /// <paramref name="nextB"/> are asked for.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MultiplyAhead4<TVector, TOps>(float* a, int* rows, int length, float* b, float* c, int stride, float* nextA, float* nextB)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
    {
        TVector c00, c01, c02, c03, c10, c11, c12, c13, c20, c21, c22, c23, c30, c31, c32, c33, c40, c41, c42, c43, c50, c51, c52, c53;
        int width = TOps.Count;
        c00 = c01 = c02 = c03 = c10 = c11 = c12 = c13 = c20 = c21 = c22 = c23 = c30 = c31 = c32 = c33 = c40 = c41 = c42 = c43 = c50 = c51 = c52 = c53 = default;
        float* a0 = a + rows[0], a1 = a + rows[1], a2 = a + rows[2], a3 = a + rows[3], a4 = a + rows[4], a5 = a + rows[5];
        for (int k = 0; k < length; k++)
        {
            HostPrefetch.Far(nextA + k * (HostPrefetch.Line / 2));
            HostPrefetch.Far(nextB + k * HostPrefetch.Line);
            var b0 = TOps.Load(b);
            var b1 = TOps.Load(b + width);
            var b2 = TOps.Load(b + 2 * width);
            var b3 = TOps.Load(b + 3 * width);
            b += 4 * width;
            var x = TOps.Broadcast(a0[k]);
            c00 = TOps.MultiplyAdd(x, b0, c00);
            c01 = TOps.MultiplyAdd(x, b1, c01);
            c02 = TOps.MultiplyAdd(x, b2, c02);
            c03 = TOps.MultiplyAdd(x, b3, c03);
            x = TOps.Broadcast(a1[k]);
            c10 = TOps.MultiplyAdd(x, b0, c10);
            c11 = TOps.MultiplyAdd(x, b1, c11);
            c12 = TOps.MultiplyAdd(x, b2, c12);
            c13 = TOps.MultiplyAdd(x, b3, c13);
            x = TOps.Broadcast(a2[k]);
            c20 = TOps.MultiplyAdd(x, b0, c20);
            c21 = TOps.MultiplyAdd(x, b1, c21);
            c22 = TOps.MultiplyAdd(x, b2, c22);
            c23 = TOps.MultiplyAdd(x, b3, c23);
            x = TOps.Broadcast(a3[k]);
            c30 = TOps.MultiplyAdd(x, b0, c30);
            c31 = TOps.MultiplyAdd(x, b1, c31);
            c32 = TOps.MultiplyAdd(x, b2, c32);
            c33 = TOps.MultiplyAdd(x, b3, c33);
            x = TOps.Broadcast(a4[k]);
            c40 = TOps.MultiplyAdd(x, b0, c40);
            c41 = TOps.MultiplyAdd(x, b1, c41);
            c42 = TOps.MultiplyAdd(x, b2, c42);
            c43 = TOps.MultiplyAdd(x, b3, c43);
            x = TOps.Broadcast(a5[k]);
            c50 = TOps.MultiplyAdd(x, b0, c50);
            c51 = TOps.MultiplyAdd(x, b1, c51);
            c52 = TOps.MultiplyAdd(x, b2, c52);
            c53 = TOps.MultiplyAdd(x, b3, c53);
        }
        TOps.Store(c00, c); TOps.Store(c01, c + width); TOps.Store(c02, c + 2 * width); TOps.Store(c03, c + 3 * width);
        TOps.Store(c10, c + stride); TOps.Store(c11, c + stride + width); TOps.Store(c12, c + stride + 2 * width); TOps.Store(c13, c + stride + 3 * width);
        TOps.Store(c20, c + 2 * stride); TOps.Store(c21, c + 2 * stride + width); TOps.Store(c22, c + 2 * stride + 2 * width); TOps.Store(c23, c + 2 * stride + 3 * width);
        TOps.Store(c30, c + 3 * stride); TOps.Store(c31, c + 3 * stride + width); TOps.Store(c32, c + 3 * stride + 2 * width); TOps.Store(c33, c + 3 * stride + 3 * width);
        TOps.Store(c40, c + 4 * stride); TOps.Store(c41, c + 4 * stride + width); TOps.Store(c42, c + 4 * stride + 2 * width); TOps.Store(c43, c + 4 * stride + 3 * width);
        TOps.Store(c50, c + 5 * stride); TOps.Store(c51, c + 5 * stride + width); TOps.Store(c52, c + 5 * stride + 2 * width); TOps.Store(c53, c + 5 * stride + 3 * width);
    }

    /// <summary>
    /// C[i, 0 … 2·width) = Σ over k of A[i, k] · b[k, …], with A in blocks [k / 8][row][k mod 8] and length a multiple of 8: one stream of memory instead of six, so all of a block's
    /// numbers are named by their distance from one pointer. Meanwhile 6·length floats from <paramref name="nextA"/>, if it is not null, and 4·length from <paramref name="nextB"/> are asked for.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MultiplyBlocks2<TVector, TOps>(float* a, int length, float* b, float* c, int stride, float* nextA, float* nextB)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
    {
        TVector c00, c01, c10, c11, c20, c21, c30, c31, c40, c41, c50, c51;
        int width = TOps.Count, step = 2 * width;
        c00 = c01 = c10 = c11 = c20 = c21 = c30 = c31 = c40 = c41 = c50 = c51 = default;
        for (int k = 0; k < length; k += Depth, a += Rows * Depth)
        {
            // Not all at once: a line that comes from far away holds one of a few places for misses, which these loads need too.
            if (nextA != null)
            {
                HostPrefetch.Far(nextA);
                HostPrefetch.Far(nextA + HostPrefetch.Line);
                HostPrefetch.Far(nextA + 2 * HostPrefetch.Line);
                nextA += Rows * Depth;
            }
            HostPrefetch.Far(nextB);
            // A loop of eight turns here would cost a mispredicted branch in each: 0.75 of the peak instead of 0.87, measured.
            BlockStep<TVector, TOps>(a, b, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51);
            BlockStep<TVector, TOps>(a + 1, b + step, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51);
            BlockStep<TVector, TOps>(a + 2, b + 2 * step, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51);
            BlockStep<TVector, TOps>(a + 3, b + 3 * step, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51);
            HostPrefetch.Far(nextB + HostPrefetch.Line);
            nextB += 2 * HostPrefetch.Line;
            BlockStep<TVector, TOps>(a + 4, b + 4 * step, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51);
            BlockStep<TVector, TOps>(a + 5, b + 5 * step, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51);
            BlockStep<TVector, TOps>(a + 6, b + 6 * step, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51);
            BlockStep<TVector, TOps>(a + 7, b + 7 * step, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51);
            b += Depth * step;
        }
        TOps.Store(c00, c); TOps.Store(c01, c + width);
        TOps.Store(c10, c + stride); TOps.Store(c11, c + stride + width);
        TOps.Store(c20, c + 2 * stride); TOps.Store(c21, c + 2 * stride + width);
        TOps.Store(c30, c + 3 * stride); TOps.Store(c31, c + 3 * stride + width);
        TOps.Store(c40, c + 4 * stride); TOps.Store(c41, c + 4 * stride + width);
        TOps.Store(c50, c + 5 * stride); TOps.Store(c51, c + 5 * stride + width);
    }

    /// <summary>One k of a block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void BlockStep<TVector, TOps>(float* a, float* b, ref TVector c00, ref TVector c01, ref TVector c10, ref TVector c11, ref TVector c20, ref TVector c21,
        ref TVector c30, ref TVector c31, ref TVector c40, ref TVector c41, ref TVector c50, ref TVector c51)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
    {
        var b0 = TOps.Load(b);
        var b1 = TOps.Load(b + TOps.Count);
        var x = TOps.Broadcast(a[0]);
        c00 = TOps.MultiplyAdd(x, b0, c00);
        c01 = TOps.MultiplyAdd(x, b1, c01);
        x = TOps.Broadcast(a[Depth]);
        c10 = TOps.MultiplyAdd(x, b0, c10);
        c11 = TOps.MultiplyAdd(x, b1, c11);
        x = TOps.Broadcast(a[2 * Depth]);
        c20 = TOps.MultiplyAdd(x, b0, c20);
        c21 = TOps.MultiplyAdd(x, b1, c21);
        x = TOps.Broadcast(a[3 * Depth]);
        c30 = TOps.MultiplyAdd(x, b0, c30);
        c31 = TOps.MultiplyAdd(x, b1, c31);
        x = TOps.Broadcast(a[4 * Depth]);
        c40 = TOps.MultiplyAdd(x, b0, c40);
        c41 = TOps.MultiplyAdd(x, b1, c41);
        x = TOps.Broadcast(a[5 * Depth]);
        c50 = TOps.MultiplyAdd(x, b0, c50);
        c51 = TOps.MultiplyAdd(x, b1, c51);
    }

    /// <summary>C[i, 0 … 1·width) += Σ over lines and k of a[rows[i] + line·lineStep + k·aStep] · b[(line·length + k)·bStep + …] (rows[0] is 0).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MultiplyOuter1<TVector, TOps>(float* a, int* rows, int lines, nint lineStep, int length, nint aStep, float* b, nint bStep, float* c, int stride)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
    {
        TVector c00, c10, c20, c30, c40, c50;
        int width = TOps.Count;
        c00 = TOps.Load(c + 0 * stride);
        c10 = TOps.Load(c + 1 * stride);
        c20 = TOps.Load(c + 2 * stride);
        c30 = TOps.Load(c + 3 * stride);
        c40 = TOps.Load(c + 4 * stride);
        c50 = TOps.Load(c + 5 * stride);
        nint o1 = rows[1], o2 = rows[2], o3 = rows[3], o4 = rows[4], o5 = rows[5];
        lineStep -= length * aStep;
        for (int line = 0; line < lines; line++, a += lineStep)
        {
            for (int k = 0; k < length; k++, a += aStep, b += bStep)
            {
                var b0 = TOps.Load(b);
                var x = TOps.Broadcast(*a);
                c00 = TOps.MultiplyAdd(x, b0, c00);
                x = TOps.Broadcast(a[o1]);
                c10 = TOps.MultiplyAdd(x, b0, c10);
                x = TOps.Broadcast(a[o2]);
                c20 = TOps.MultiplyAdd(x, b0, c20);
                x = TOps.Broadcast(a[o3]);
                c30 = TOps.MultiplyAdd(x, b0, c30);
                x = TOps.Broadcast(a[o4]);
                c40 = TOps.MultiplyAdd(x, b0, c40);
                x = TOps.Broadcast(a[o5]);
                c50 = TOps.MultiplyAdd(x, b0, c50);
            }
        }
        TOps.Store(c00, c);
        TOps.Store(c10, c + stride);
        TOps.Store(c20, c + 2 * stride);
        TOps.Store(c30, c + 3 * stride);
        TOps.Store(c40, c + 4 * stride);
        TOps.Store(c50, c + 5 * stride);
    }

    /// <summary>C[i, 0 … 2·width) += Σ over lines and k of a[rows[i] + line·lineStep + k·aStep] · b[(line·length + k)·bStep + …] (rows[0] is 0).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MultiplyOuter2<TVector, TOps>(float* a, int* rows, int lines, nint lineStep, int length, nint aStep, float* b, nint bStep, float* c, int stride)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
    {
        TVector c00, c01, c10, c11, c20, c21, c30, c31, c40, c41, c50, c51;
        int width = TOps.Count;
        c00 = TOps.Load(c + 0 * stride); c01 = TOps.Load(c + 0 * stride + width);
        c10 = TOps.Load(c + 1 * stride); c11 = TOps.Load(c + 1 * stride + width);
        c20 = TOps.Load(c + 2 * stride); c21 = TOps.Load(c + 2 * stride + width);
        c30 = TOps.Load(c + 3 * stride); c31 = TOps.Load(c + 3 * stride + width);
        c40 = TOps.Load(c + 4 * stride); c41 = TOps.Load(c + 4 * stride + width);
        c50 = TOps.Load(c + 5 * stride); c51 = TOps.Load(c + 5 * stride + width);
        nint o1 = rows[1], o2 = rows[2], o3 = rows[3], o4 = rows[4], o5 = rows[5];
        lineStep -= length * aStep;
        for (int line = 0; line < lines; line++, a += lineStep)
        {
            for (int k = 0; k < length; k++, a += aStep, b += bStep)
            {
                var b0 = TOps.Load(b);
                var b1 = TOps.Load(b + width);
                var x = TOps.Broadcast(*a);
                c00 = TOps.MultiplyAdd(x, b0, c00);
                c01 = TOps.MultiplyAdd(x, b1, c01);
                x = TOps.Broadcast(a[o1]);
                c10 = TOps.MultiplyAdd(x, b0, c10);
                c11 = TOps.MultiplyAdd(x, b1, c11);
                x = TOps.Broadcast(a[o2]);
                c20 = TOps.MultiplyAdd(x, b0, c20);
                c21 = TOps.MultiplyAdd(x, b1, c21);
                x = TOps.Broadcast(a[o3]);
                c30 = TOps.MultiplyAdd(x, b0, c30);
                c31 = TOps.MultiplyAdd(x, b1, c31);
                x = TOps.Broadcast(a[o4]);
                c40 = TOps.MultiplyAdd(x, b0, c40);
                c41 = TOps.MultiplyAdd(x, b1, c41);
                x = TOps.Broadcast(a[o5]);
                c50 = TOps.MultiplyAdd(x, b0, c50);
                c51 = TOps.MultiplyAdd(x, b1, c51);
            }
        }
        TOps.Store(c00, c); TOps.Store(c01, c + width);
        TOps.Store(c10, c + stride); TOps.Store(c11, c + stride + width);
        TOps.Store(c20, c + 2 * stride); TOps.Store(c21, c + 2 * stride + width);
        TOps.Store(c30, c + 3 * stride); TOps.Store(c31, c + 3 * stride + width);
        TOps.Store(c40, c + 4 * stride); TOps.Store(c41, c + 4 * stride + width);
        TOps.Store(c50, c + 5 * stride); TOps.Store(c51, c + 5 * stride + width);
    }

    /// <summary>
    /// C[i, 0 … 4·width) += Σ over lines and k of a[rows[i] + line·lineStep + k·aStep] · b[(line·length + k)·bStep + …] (rows[0] is 0). A line from <paramref name="ahead"/> on is asked for at each
    /// step of k.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MultiplyOuter4<TVector, TOps>(float* a, int* rows, int lines, nint lineStep, int length, nint aStep, float* b, nint bStep, float* c, int stride, float* ahead)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
    {
        TVector c00, c01, c02, c03, c10, c11, c12, c13, c20, c21, c22, c23, c30, c31, c32, c33, c40, c41, c42, c43, c50, c51, c52, c53;
        int width = TOps.Count;
        c00 = TOps.Load(c + 0 * stride); c01 = TOps.Load(c + 0 * stride + width); c02 = TOps.Load(c + 0 * stride + 2 * width); c03 = TOps.Load(c + 0 * stride + 3 * width);
        c10 = TOps.Load(c + 1 * stride); c11 = TOps.Load(c + 1 * stride + width); c12 = TOps.Load(c + 1 * stride + 2 * width); c13 = TOps.Load(c + 1 * stride + 3 * width);
        c20 = TOps.Load(c + 2 * stride); c21 = TOps.Load(c + 2 * stride + width); c22 = TOps.Load(c + 2 * stride + 2 * width); c23 = TOps.Load(c + 2 * stride + 3 * width);
        c30 = TOps.Load(c + 3 * stride); c31 = TOps.Load(c + 3 * stride + width); c32 = TOps.Load(c + 3 * stride + 2 * width); c33 = TOps.Load(c + 3 * stride + 3 * width);
        c40 = TOps.Load(c + 4 * stride); c41 = TOps.Load(c + 4 * stride + width); c42 = TOps.Load(c + 4 * stride + 2 * width); c43 = TOps.Load(c + 4 * stride + 3 * width);
        c50 = TOps.Load(c + 5 * stride); c51 = TOps.Load(c + 5 * stride + width); c52 = TOps.Load(c + 5 * stride + 2 * width); c53 = TOps.Load(c + 5 * stride + 3 * width);
        nint o1 = rows[1], o2 = rows[2], o3 = rows[3], o4 = rows[4], o5 = rows[5];
        lineStep -= length * aStep;
        for (int line = 0; line < lines; line++, a += lineStep)
        {
            for (int k = 0; k < length; k++, a += aStep, b += bStep, ahead += HostPrefetch.Line)
            {
                HostPrefetch.Far(ahead);
                var b0 = TOps.Load(b);
                var b1 = TOps.Load(b + width);
                var b2 = TOps.Load(b + 2 * width);
                var b3 = TOps.Load(b + 3 * width);
                var x = TOps.Broadcast(*a);
                c00 = TOps.MultiplyAdd(x, b0, c00);
                c01 = TOps.MultiplyAdd(x, b1, c01);
                c02 = TOps.MultiplyAdd(x, b2, c02);
                c03 = TOps.MultiplyAdd(x, b3, c03);
                x = TOps.Broadcast(a[o1]);
                c10 = TOps.MultiplyAdd(x, b0, c10);
                c11 = TOps.MultiplyAdd(x, b1, c11);
                c12 = TOps.MultiplyAdd(x, b2, c12);
                c13 = TOps.MultiplyAdd(x, b3, c13);
                x = TOps.Broadcast(a[o2]);
                c20 = TOps.MultiplyAdd(x, b0, c20);
                c21 = TOps.MultiplyAdd(x, b1, c21);
                c22 = TOps.MultiplyAdd(x, b2, c22);
                c23 = TOps.MultiplyAdd(x, b3, c23);
                x = TOps.Broadcast(a[o3]);
                c30 = TOps.MultiplyAdd(x, b0, c30);
                c31 = TOps.MultiplyAdd(x, b1, c31);
                c32 = TOps.MultiplyAdd(x, b2, c32);
                c33 = TOps.MultiplyAdd(x, b3, c33);
                x = TOps.Broadcast(a[o4]);
                c40 = TOps.MultiplyAdd(x, b0, c40);
                c41 = TOps.MultiplyAdd(x, b1, c41);
                c42 = TOps.MultiplyAdd(x, b2, c42);
                c43 = TOps.MultiplyAdd(x, b3, c43);
                x = TOps.Broadcast(a[o5]);
                c50 = TOps.MultiplyAdd(x, b0, c50);
                c51 = TOps.MultiplyAdd(x, b1, c51);
                c52 = TOps.MultiplyAdd(x, b2, c52);
                c53 = TOps.MultiplyAdd(x, b3, c53);
            }
        }
        TOps.Store(c00, c); TOps.Store(c01, c + width); TOps.Store(c02, c + 2 * width); TOps.Store(c03, c + 3 * width);
        TOps.Store(c10, c + stride); TOps.Store(c11, c + stride + width); TOps.Store(c12, c + stride + 2 * width); TOps.Store(c13, c + stride + 3 * width);
        TOps.Store(c20, c + 2 * stride); TOps.Store(c21, c + 2 * stride + width); TOps.Store(c22, c + 2 * stride + 2 * width); TOps.Store(c23, c + 2 * stride + 3 * width);
        TOps.Store(c30, c + 3 * stride); TOps.Store(c31, c + 3 * stride + width); TOps.Store(c32, c + 3 * stride + 2 * width); TOps.Store(c33, c + 3 * stride + 3 * width);
        TOps.Store(c40, c + 4 * stride); TOps.Store(c41, c + 4 * stride + width); TOps.Store(c42, c + 4 * stride + 2 * width); TOps.Store(c43, c + 4 * stride + 3 * width);
        TOps.Store(c50, c + 5 * stride); TOps.Store(c51, c + 5 * stride + width); TOps.Store(c52, c + 5 * stride + 2 * width); TOps.Store(c53, c + 5 * stride + 3 * width);
    }
}
