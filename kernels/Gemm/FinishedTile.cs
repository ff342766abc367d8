using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// The register tiles of <see cref="RegisterTile"/> where a convolution's sums end: they leave the registers with bias and ReLU, each row to a place of its own, so that no
/// second pass reads them. A tile of one or two vectors does little in a step of k, so its steps go by fours.
/// </summary>
internal static unsafe class FinishedTile
{
    /// <summary>Steps of k in a turn of the loop.</summary>
    private const int Unrolled = 4;

    /// <summary>c[places[i] + 0 … width) = act(sums[i·width + …] + Σ over runs and k of a[rows[i] + run + k] · b[k, …] + bias[…]).</summary>
    /// <param name="sums">What the steps of k before made; null for zeros.</param>
    /// <param name="bias">Null for none.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply1<TVector, TOps>(float* a, int* rows, in HostRuns runs, float* b, float* sums, float* bias, bool relu, float* c, int* places)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
    {
        TVector c00, c10, c20, c30, c40, c50;
        int width = TOps.Count;
        if (sums != null)
        {
            c00 = TOps.Load(sums + 0 * width);
            c10 = TOps.Load(sums + 1 * width);
            c20 = TOps.Load(sums + 2 * width);
            c30 = TOps.Load(sums + 3 * width);
            c40 = TOps.Load(sums + 4 * width);
            c50 = TOps.Load(sums + 5 * width);
        }
        else
        {
            c00 = c10 = c20 = c30 = c40 = c50 = default;
        }
        for (int run = 0; run < runs.Count; run++)
        {
            float* from = a + (nint)run * runs.Step;
            float* a0 = from + rows[0], a1 = from + rows[1], a2 = from + rows[2], a3 = from + rows[3], a4 = from + rows[4], a5 = from + rows[5];
            nint k = 0, whole = runs.Length - (Unrolled - 1);
            for (; k < whole; k += Unrolled, b += Unrolled * width)
            {
                Step1<TVector, TOps>(a0, a1, a2, a3, a4, a5, k, b, ref c00, ref c10, ref c20, ref c30, ref c40, ref c50);
                Step1<TVector, TOps>(a0, a1, a2, a3, a4, a5, k + 1, b + width, ref c00, ref c10, ref c20, ref c30, ref c40, ref c50);
                Step1<TVector, TOps>(a0, a1, a2, a3, a4, a5, k + 2, b + 2 * width, ref c00, ref c10, ref c20, ref c30, ref c40, ref c50);
                Step1<TVector, TOps>(a0, a1, a2, a3, a4, a5, k + 3, b + 3 * width, ref c00, ref c10, ref c20, ref c30, ref c40, ref c50);
            }
            for (; k < runs.Length; k++, b += width)
                Step1<TVector, TOps>(a0, a1, a2, a3, a4, a5, k, b, ref c00, ref c10, ref c20, ref c30, ref c40, ref c50);
        }
        if (bias != null)
        {
            TVector bias0 = TOps.Load(bias);
            c00 = TOps.Add(c00, bias0);
            c10 = TOps.Add(c10, bias0);
            c20 = TOps.Add(c20, bias0);
            c30 = TOps.Add(c30, bias0);
            c40 = TOps.Add(c40, bias0);
            c50 = TOps.Add(c50, bias0);
        }
        if (relu)
        {
            c00 = TOps.Relu(c00);
            c10 = TOps.Relu(c10);
            c20 = TOps.Relu(c20);
            c30 = TOps.Relu(c30);
            c40 = TOps.Relu(c40);
            c50 = TOps.Relu(c50);
        }
        TOps.Store(c00, c + places[0]);
        TOps.Store(c10, c + places[1]);
        TOps.Store(c20, c + places[2]);
        TOps.Store(c30, c + places[3]);
        TOps.Store(c40, c + places[4]);
        TOps.Store(c50, c + places[5]);
    }

    /// <summary>One step of k.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step1<TVector, TOps>(float* a0, float* a1, float* a2, float* a3, float* a4, float* a5, nint k, float* b,
        ref TVector c00, ref TVector c10, ref TVector c20, ref TVector c30, ref TVector c40, ref TVector c50)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
    {
        TVector b0 = TOps.Load(b), x;
        x = TOps.Broadcast(a0[k]);
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

    /// <summary>c[places[i] + 0 … 2·width) = act(sums[i·2·width + …] + Σ over runs and k of a[rows[i] + run + k] · b[k, …] + bias[…]).</summary>
    /// <param name="sums">What the steps of k before made; null for zeros.</param>
    /// <param name="bias">Null for none.</param>
    /// <param name="asks">Whether the outputs of the next tile, whose places follow, and the 6·length floats from <paramref name="nextA"/> on, if it is not null, are asked for; not with AVX-512.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply2<TVector, TOps>(float* a, int* rows, in HostRuns runs, float* b, float* sums, float* bias, bool relu, float* c, int* places, bool asks = false, float* nextA = null)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
    {
        TVector c00, c01, c10, c11, c20, c21, c30, c31, c40, c41, c50, c51;
        int width = TOps.Count, step = 2 * width;
        if (sums != null)
        {
            c00 = TOps.Load(sums + 0 * width); c01 = TOps.Load(sums + 1 * width);
            c10 = TOps.Load(sums + 2 * width); c11 = TOps.Load(sums + 3 * width);
            c20 = TOps.Load(sums + 4 * width); c21 = TOps.Load(sums + 5 * width);
            c30 = TOps.Load(sums + 6 * width); c31 = TOps.Load(sums + 7 * width);
            c40 = TOps.Load(sums + 8 * width); c41 = TOps.Load(sums + 9 * width);
            c50 = TOps.Load(sums + 10 * width); c51 = TOps.Load(sums + 11 * width);
        }
        else
        {
            c00 = c01 = c10 = c11 = c20 = c21 = c30 = c31 = c40 = c41 = c50 = c51 = default;
        }
        for (int run = 0; run < runs.Count; run++)
        {
            float* from = a + (nint)run * runs.Step;
            float* a0 = from + rows[0], a1 = from + rows[1], a2 = from + rows[2], a3 = from + rows[3], a4 = from + rows[4], a5 = from + rows[5];
            nint k = 0, whole = runs.Length - (Unrolled - 1);
            for (; k < whole; k += Unrolled, b += Unrolled * step)
            {
                // Line by line: a burst before the tile would hold the few places for misses that its own loads need.
                if (!Vector512.IsHardwareAccelerated && asks)
                {
                    if (k < Unrolled * RegisterTile.Rows / 2)
                    {
                        HostPrefetch.Far(c + places[RegisterTile.Rows + k / 2]);
                        HostPrefetch.Far(c + places[RegisterTile.Rows + k / 2 + 1]);
                    }
                    if (nextA != null)
                    {
                        HostPrefetch.Far(nextA);
                        HostPrefetch.Far(nextA + HostPrefetch.Line);
                        nextA += Unrolled * RegisterTile.Rows;
                    }
                }
                Step2<TVector, TOps>(a0, a1, a2, a3, a4, a5, k, b, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51);
                Step2<TVector, TOps>(a0, a1, a2, a3, a4, a5, k + 1, b + step, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51);
                Step2<TVector, TOps>(a0, a1, a2, a3, a4, a5, k + 2, b + 2 * step, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51);
                Step2<TVector, TOps>(a0, a1, a2, a3, a4, a5, k + 3, b + 3 * step, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51);
            }
            for (; k < runs.Length; k++, b += step)
                Step2<TVector, TOps>(a0, a1, a2, a3, a4, a5, k, b, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51);
        }
        if (bias != null)
        {
            TVector bias0 = TOps.Load(bias), bias1 = TOps.Load(bias + width);
            c00 = TOps.Add(c00, bias0); c01 = TOps.Add(c01, bias1);
            c10 = TOps.Add(c10, bias0); c11 = TOps.Add(c11, bias1);
            c20 = TOps.Add(c20, bias0); c21 = TOps.Add(c21, bias1);
            c30 = TOps.Add(c30, bias0); c31 = TOps.Add(c31, bias1);
            c40 = TOps.Add(c40, bias0); c41 = TOps.Add(c41, bias1);
            c50 = TOps.Add(c50, bias0); c51 = TOps.Add(c51, bias1);
        }
        if (relu)
        {
            c00 = TOps.Relu(c00); c01 = TOps.Relu(c01);
            c10 = TOps.Relu(c10); c11 = TOps.Relu(c11);
            c20 = TOps.Relu(c20); c21 = TOps.Relu(c21);
            c30 = TOps.Relu(c30); c31 = TOps.Relu(c31);
            c40 = TOps.Relu(c40); c41 = TOps.Relu(c41);
            c50 = TOps.Relu(c50); c51 = TOps.Relu(c51);
        }
        TOps.Store(c00, c + places[0]); TOps.Store(c01, c + places[0] + width);
        TOps.Store(c10, c + places[1]); TOps.Store(c11, c + places[1] + width);
        TOps.Store(c20, c + places[2]); TOps.Store(c21, c + places[2] + width);
        TOps.Store(c30, c + places[3]); TOps.Store(c31, c + places[3] + width);
        TOps.Store(c40, c + places[4]); TOps.Store(c41, c + places[4] + width);
        TOps.Store(c50, c + places[5]); TOps.Store(c51, c + places[5] + width);
    }

    /// <summary>One step of k.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step2<TVector, TOps>(float* a0, float* a1, float* a2, float* a3, float* a4, float* a5, nint k, float* b,
        ref TVector c00, ref TVector c01, ref TVector c10, ref TVector c11, ref TVector c20, ref TVector c21, ref TVector c30, ref TVector c31, ref TVector c40, ref TVector c41, ref TVector c50, ref TVector c51)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
    {
        TVector b0 = TOps.Load(b), b1 = TOps.Load(b + TOps.Count), x;
        x = TOps.Broadcast(a0[k]);
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

    /// <summary>c[places[i] + 0 … 4·width) = act(sums[i·4·width + …] + Σ over runs and k of a[rows[i] + run + k] · b[k, …] + bias[…]).</summary>
    /// <param name="sums">What the steps of k before made; null for zeros.</param>
    /// <param name="bias">Null for none.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply4<TVector, TOps>(float* a, int* rows, in HostRuns runs, float* b, float* sums, float* bias, bool relu, float* c, int* places)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
    {
        TVector c00, c01, c02, c03, c10, c11, c12, c13, c20, c21, c22, c23, c30, c31, c32, c33, c40, c41, c42, c43, c50, c51, c52, c53;
        int width = TOps.Count;
        if (sums != null)
        {
            c00 = TOps.Load(sums + 0 * width); c01 = TOps.Load(sums + 1 * width); c02 = TOps.Load(sums + 2 * width); c03 = TOps.Load(sums + 3 * width);
            c10 = TOps.Load(sums + 4 * width); c11 = TOps.Load(sums + 5 * width); c12 = TOps.Load(sums + 6 * width); c13 = TOps.Load(sums + 7 * width);
            c20 = TOps.Load(sums + 8 * width); c21 = TOps.Load(sums + 9 * width); c22 = TOps.Load(sums + 10 * width); c23 = TOps.Load(sums + 11 * width);
            c30 = TOps.Load(sums + 12 * width); c31 = TOps.Load(sums + 13 * width); c32 = TOps.Load(sums + 14 * width); c33 = TOps.Load(sums + 15 * width);
            c40 = TOps.Load(sums + 16 * width); c41 = TOps.Load(sums + 17 * width); c42 = TOps.Load(sums + 18 * width); c43 = TOps.Load(sums + 19 * width);
            c50 = TOps.Load(sums + 20 * width); c51 = TOps.Load(sums + 21 * width); c52 = TOps.Load(sums + 22 * width); c53 = TOps.Load(sums + 23 * width);
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
                TVector b0 = TOps.Load(b), b1 = TOps.Load(b + width), b2 = TOps.Load(b + 2 * width), b3 = TOps.Load(b + 3 * width), x;
                b += 4 * width;
                x = TOps.Broadcast(a0[k]);
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
        if (bias != null)
        {
            TVector bias0 = TOps.Load(bias), bias1 = TOps.Load(bias + width), bias2 = TOps.Load(bias + 2 * width), bias3 = TOps.Load(bias + 3 * width);
            c00 = TOps.Add(c00, bias0); c01 = TOps.Add(c01, bias1); c02 = TOps.Add(c02, bias2); c03 = TOps.Add(c03, bias3);
            c10 = TOps.Add(c10, bias0); c11 = TOps.Add(c11, bias1); c12 = TOps.Add(c12, bias2); c13 = TOps.Add(c13, bias3);
            c20 = TOps.Add(c20, bias0); c21 = TOps.Add(c21, bias1); c22 = TOps.Add(c22, bias2); c23 = TOps.Add(c23, bias3);
            c30 = TOps.Add(c30, bias0); c31 = TOps.Add(c31, bias1); c32 = TOps.Add(c32, bias2); c33 = TOps.Add(c33, bias3);
            c40 = TOps.Add(c40, bias0); c41 = TOps.Add(c41, bias1); c42 = TOps.Add(c42, bias2); c43 = TOps.Add(c43, bias3);
            c50 = TOps.Add(c50, bias0); c51 = TOps.Add(c51, bias1); c52 = TOps.Add(c52, bias2); c53 = TOps.Add(c53, bias3);
        }
        if (relu)
        {
            c00 = TOps.Relu(c00); c01 = TOps.Relu(c01); c02 = TOps.Relu(c02); c03 = TOps.Relu(c03);
            c10 = TOps.Relu(c10); c11 = TOps.Relu(c11); c12 = TOps.Relu(c12); c13 = TOps.Relu(c13);
            c20 = TOps.Relu(c20); c21 = TOps.Relu(c21); c22 = TOps.Relu(c22); c23 = TOps.Relu(c23);
            c30 = TOps.Relu(c30); c31 = TOps.Relu(c31); c32 = TOps.Relu(c32); c33 = TOps.Relu(c33);
            c40 = TOps.Relu(c40); c41 = TOps.Relu(c41); c42 = TOps.Relu(c42); c43 = TOps.Relu(c43);
            c50 = TOps.Relu(c50); c51 = TOps.Relu(c51); c52 = TOps.Relu(c52); c53 = TOps.Relu(c53);
        }
        TOps.Store(c00, c + places[0]); TOps.Store(c01, c + places[0] + width); TOps.Store(c02, c + places[0] + 2 * width); TOps.Store(c03, c + places[0] + 3 * width);
        TOps.Store(c10, c + places[1]); TOps.Store(c11, c + places[1] + width); TOps.Store(c12, c + places[1] + 2 * width); TOps.Store(c13, c + places[1] + 3 * width);
        TOps.Store(c20, c + places[2]); TOps.Store(c21, c + places[2] + width); TOps.Store(c22, c + places[2] + 2 * width); TOps.Store(c23, c + places[2] + 3 * width);
        TOps.Store(c30, c + places[3]); TOps.Store(c31, c + places[3] + width); TOps.Store(c32, c + places[3] + 2 * width); TOps.Store(c33, c + places[3] + 3 * width);
        TOps.Store(c40, c + places[4]); TOps.Store(c41, c + places[4] + width); TOps.Store(c42, c + places[4] + 2 * width); TOps.Store(c43, c + places[4] + 3 * width);
        TOps.Store(c50, c + places[5]); TOps.Store(c51, c + places[5] + width); TOps.Store(c52, c + places[5] + 2 * width); TOps.Store(c53, c + places[5] + 3 * width);
    }
}
