using System.Numerics;
using ILGPU;

namespace IlgpuNetVlad.Kernels;

public static partial class L2Normalization
{
    private static void ForwardReference(Device device, in RowsShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        => Forward<float>(s, HostMemory.Span(v[0]), HostMemory.Span(v[1]));

    private static void BackwardReference(Device device, in RowsShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        => Backward<float>(s, HostMemory.Span(v[0]), HostMemory.Span(v[1]), HostMemory.Span(v[2]), HostMemory.Span(v[3]));

    /// <summary>The contract in plain loops with fp64 sums.</summary>
    internal static void Forward<T>(in RowsShape s, ReadOnlySpan<T> x, Span<T> y)
        where T : unmanaged, INumber<T>
    {
        for (int row = 0; row < s.Rows; row++)
        {
            double norm = Norm(x.Slice(row * s.D, s.D), s.SoftFloor != 0, out _);
            for (int i = row * s.D; i < (row + 1) * s.D; i++)
                y[i] = T.CreateChecked(double.CreateChecked(x[i]) / norm);
        }
    }

    /// <inheritdoc cref="Forward{T}"/>
    internal static void Backward<T>(in RowsShape s, ReadOnlySpan<T> x, ReadOnlySpan<T> y, ReadOnlySpan<T> dy, Span<T> dx)
        where T : unmanaged, INumber<T>
    {
        for (int row = 0; row < s.Rows; row++)
        {
            double norm = Norm(x.Slice(row * s.D, s.D), s.SoftFloor != 0, out bool clamped), along = 0;
            for (int i = row * s.D; i < (row + 1) * s.D; i++)
                along += double.CreateChecked(y[i]) * double.CreateChecked(dy[i]);
            for (int i = row * s.D; i < (row + 1) * s.D; i++)
                dx[i] = clamped ? T.Zero : T.CreateChecked((double.CreateChecked(dy[i]) - double.CreateChecked(y[i]) * along) / norm);
        }
    }

    /// <summary>The divisor of a row, and whether the clamp decided it.</summary>
    internal static double Norm<T>(ReadOnlySpan<T> row, bool soft, out bool clamped)
        where T : unmanaged, INumber<T>
    {
        double square = 0;
        foreach (var value in row)
            square += double.CreateChecked(value) * double.CreateChecked(value);
        double norm = Math.Sqrt(soft ? square + Floor : square);
        clamped = !soft && norm < Floor;
        return clamped ? Floor : norm;
    }
}
