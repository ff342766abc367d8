using System.Numerics;
using ILGPU;

namespace IlgpuNetVlad.Kernels;

public static partial class LocalResponse
{
    private static void ForwardReference(Device device, in LocalResponseShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        => Forward<float>(s, HostMemory.Span(v[0]), HostMemory.Span(v[1]));

    private static void BackwardReference(Device device, in LocalResponseShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        => Backward<float>(s, HostMemory.Span(v[0]), HostMemory.Span(v[1]), HostMemory.Span(v[2]));

    /// <summary>The contract in plain loops in fp64.</summary>
    internal static void Forward<T>(in LocalResponseShape s, ReadOnlySpan<T> x, Span<T> y)
        where T : unmanaged, INumber<T>
    {
        for (int i = 0; i < s.Length; i++)
            y[i] = T.CreateChecked(double.CreateChecked(x[i]) * Math.Pow(Scale(s, x, i), -s.Beta));
    }

    /// <inheritdoc cref="Forward{T}"/>
    internal static void Backward<T>(in LocalResponseShape s, ReadOnlySpan<T> x, ReadOnlySpan<T> dy, Span<T> dx)
        where T : unmanaged, INumber<T>
    {
        for (int i = 0; i < s.Length; i++)
        {
            int row = i / s.C * s.C, c = i - row;
            double sum = 0;
            for (int j = Math.Max(0, c - s.Size / 2); j <= Math.Min(s.C - 1, c + s.Size / 2); j++)
                sum += double.CreateChecked(dy[row + j]) * double.CreateChecked(x[row + j]) * Math.Pow(Scale(s, x, row + j), -s.Beta - 1);
            dx[i] = T.CreateChecked(double.CreateChecked(dy[i]) * Math.Pow(Scale(s, x, i), -s.Beta) - 2.0 * s.AlphaOverN * s.Beta * double.CreateChecked(x[i]) * sum);
        }
    }

    private static double Scale<T>(in LocalResponseShape s, ReadOnlySpan<T> x, int i)
        where T : unmanaged, INumber<T>
    {
        int row = i / s.C * s.C, c = i - row;
        double square = 0;
        for (int j = Math.Max(0, c - s.Size / 2); j <= Math.Min(s.C - 1, c + s.Size / 2); j++)
            square += double.CreateChecked(x[row + j]) * double.CreateChecked(x[row + j]);
        return s.K + s.AlphaOverN * square;
    }
}
