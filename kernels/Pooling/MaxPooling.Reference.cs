using System.Numerics;
using ILGPU;

namespace IlgpuNetVlad.Kernels;

public static partial class MaxPooling
{
    private static void ForwardReference(Device device, in PoolingShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        => Forward<float>(s, HostMemory.Span(v[0]), HostMemory.Span(v[1]));

    private static void BackwardReference(Device device, in PoolingShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        => Backward<float>(s, HostMemory.Span(v[0]), HostMemory.Span(v[1]), HostMemory.Span(v[2]));

    /// <summary>The contract in plain loops.</summary>
    internal static void Forward<T>(in PoolingShape s, ReadOnlySpan<T> x, Span<T> y)
        where T : unmanaged, INumber<T>
    {
        for (int i = 0; i < s.B; i++)
            for (int p = 0; p < s.P; p++)
                for (int q = 0; q < s.Q; q++)
                    for (int c = 0; c < s.C; c++)
                        y[((i * s.P + p) * s.Q + q) * s.C + c] = x[FirstMaximum(s, x, i, p, q, c)];
    }

    /// <inheritdoc cref="Forward{T}"/>
    internal static void Backward<T>(in PoolingShape s, ReadOnlySpan<T> x, ReadOnlySpan<T> dy, Span<T> dx)
        where T : unmanaged, INumber<T>
    {
        var sums = new double[s.XLength];
        for (int i = 0; i < s.B; i++)
            for (int p = 0; p < s.P; p++)
                for (int q = 0; q < s.Q; q++)
                    for (int c = 0; c < s.C; c++)
                        sums[FirstMaximum(s, x, i, p, q, c)] += double.CreateChecked(dy[((i * s.P + p) * s.Q + q) * s.C + c]);
        for (int i = 0; i < sums.Length; i++)
            dx[i] = T.CreateChecked(sums[i]);
    }

    private static int FirstMaximum<T>(in PoolingShape s, ReadOnlySpan<T> x, int i, int p, int q, int c)
        where T : unmanaged, INumber<T>
    {
        int best = -1;
        for (int h = p * s.Stride; h < Math.Min(p * s.Stride + s.Window, s.H); h++)
            for (int w = q * s.Stride; w < Math.Min(q * s.Stride + s.Window, s.W); w++)
            {
                int at = ((i * s.H + h) * s.W + w) * s.C + c;
                if (best < 0 || x[at] > x[best] || (T.IsNaN(x[at]) && !T.IsNaN(x[best])))
                    best = at;
            }
        return best;
    }
}
