using System.Runtime.CompilerServices;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// The register tiles of <see cref="RegisterTile"/> for narrow vectors, where a convolution's sums end: they leave the registers with bias and ReLU, each row to a place of its own, so that no
/// second pass reads them. With AVX2 a tile has a quarter of AVX-512's columns, and what is done once a tile or a step of k weighs four times as much: steps go by fours.
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
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply2<TVector, TOps>(float* a, int* rows, in HostRuns runs, float* b, float* sums, float* bias, bool relu, float* c, int* places)
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
}
