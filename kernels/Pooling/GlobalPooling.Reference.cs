using System.Numerics;

namespace IlgpuNetVlad.Kernels;

public static partial class GlobalPooling
{
    /// <summary>The contract in plain loops with fp64 sums.</summary>
    internal static void Forward<T>(in GlobalPoolingShape s, bool max, ReadOnlySpan<T> x, Span<T> y)
        where T : unmanaged, INumber<T>
    {
        for (int i = 0; i < s.B; i++)
            for (int c = 0; c < s.C; c++)
            {
                double sum = 0;
                for (int n = 0; n < s.N; n++)
                    sum += double.CreateChecked(x[(i * s.N + n) * s.C + c]);
                y[i * s.C + c] = max ? x[FirstMaximum(s, x, i, c)] : T.CreateChecked(sum / s.N);
            }
    }

    /// <inheritdoc cref="Forward{T}"/>
    internal static void Backward<T>(in GlobalPoolingShape s, bool max, ReadOnlySpan<T> x, ReadOnlySpan<T> dy, Span<T> dx)
        where T : unmanaged, INumber<T>
    {
        for (int i = 0; i < s.B; i++)
            for (int c = 0; c < s.C; c++)
            {
                int best = max ? FirstMaximum(s, x, i, c) : -1;
                for (int n = 0; n < s.N; n++)
                {
                    int at = (i * s.N + n) * s.C + c;
                    dx[at] = !max ? T.CreateChecked(double.CreateChecked(dy[i * s.C + c]) / s.N) : at == best ? dy[i * s.C + c] : T.Zero;
                }
            }
    }

    private static int FirstMaximum<T>(in GlobalPoolingShape s, ReadOnlySpan<T> x, int i, int c)
        where T : unmanaged, INumber<T>
    {
        int best = i * s.N * s.C + c;
        for (int n = 1; n < s.N; n++)
        {
            int at = (i * s.N + n) * s.C + c;
            if (x[at] > x[best] || (T.IsNaN(x[at]) && !T.IsNaN(x[best])))
                best = at;
        }
        return best;
    }
}
