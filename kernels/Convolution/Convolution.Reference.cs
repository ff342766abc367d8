using System.Numerics;
using ILGPU;

namespace IlgpuNetVlad.Kernels;

public static partial class Convolution
{
    private static void ForwardReference(Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        => Forward<float>(s, HostMemory.Span(v[0]), HostMemory.Span(v[1]), HostMemory.Span(v[2]), HostMemory.Span(v[3]));

    private static void ForwardPooledReference(Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        var map = new float[s.YLength];
        Forward<float>(s, HostMemory.Span(v[0]), HostMemory.Span(v[1]), HostMemory.Span(v[2]), map);
        MaxPooling.Forward<float>(new PoolingShape(s.B, s.P, s.Q, s.Oc, 2, 2), map, HostMemory.Span(v[3]));
    }

    private static void BackwardDataReference(Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        => BackwardData<float>(s, HostMemory.Span(v[0]), HostMemory.Span(v[1]), HostMemory.Span(v[2]), HostMemory.Span(v[3]));

    private static void BackwardWeightsReference(Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        => BackwardWeights<float>(s, HostMemory.Span(v[0]), HostMemory.Span(v[1]), HostMemory.Span(v[2]), HostMemory.Span(v[3]), HostMemory.Span(v[4]));

    /// <summary>The contract in plain loops with fp64 sums; T is float in the table, double where gradients are checked.</summary>
    internal static void Forward<T>(in ConvolutionShape s, ReadOnlySpan<T> x, ReadOnlySpan<T> w, ReadOnlySpan<T> b, Span<T> y)
        where T : unmanaged, INumber<T>
    {
        for (int i = 0; i < s.B; i++)
            for (int p = 0; p < s.P; p++)
                for (int q = 0; q < s.Q; q++)
                    for (int o = 0; o < s.Oc; o++)
                    {
                        int group = o / s.GroupOc;
                        double sum = 0;
                        for (int r = 0; r < s.R; r++)
                            for (int t = 0; t < s.S; t++)
                            {
                                int row = p * s.Stride + r - s.Padding, column = q * s.Stride + t - s.Padding;
                                if (row < 0 || row >= s.H || column < 0 || column >= s.W)
                                    continue;
                                int at = ((i * s.H + row) * s.W + column) * s.Ic + group * s.GroupIc, tap = (r * s.S + t) * s.GroupIc;
                                for (int c = 0; c < s.GroupIc; c++)
                                    sum += double.CreateChecked(x[at + c]) * double.CreateChecked(w[(tap + c) * s.Oc + o]);
                            }
                        if (s.HasBias != 0)
                            sum += double.CreateChecked(b[o]);
                        if (s.Relu != 0 && sum < 0)
                            sum = 0;
                        y[((i * s.P + p) * s.Q + q) * s.YPitch + o] = T.CreateChecked(sum);
                    }
    }

    /// <inheritdoc cref="Forward{T}"/>
    internal static void BackwardData<T>(in ConvolutionShape s, ReadOnlySpan<T> w, ReadOnlySpan<T> y, ReadOnlySpan<T> dy, Span<T> dx)
        where T : unmanaged, INumber<T>
    {
        for (int i = 0; i < s.B; i++)
            for (int h = 0; h < s.H; h++)
                for (int column = 0; column < s.W; column++)
                    for (int c = 0; c < s.Ic; c++)
                    {
                        int group = c / s.GroupIc;
                        double sum = 0;
                        for (int r = 0; r < s.R; r++)
                            for (int t = 0; t < s.S; t++)
                            {
                                int down = h + s.Padding - r, right = column + s.Padding - t;
                                if (down < 0 || right < 0 || down % s.Stride != 0 || right % s.Stride != 0 || down / s.Stride >= s.P || right / s.Stride >= s.Q)
                                    continue;
                                int at = ((i * s.P + down / s.Stride) * s.Q + right / s.Stride) * s.YPitch;
                                for (int o = group * s.GroupOc; o < (group + 1) * s.GroupOc; o++)
                                    sum += Masked(s, y, dy, at + o) * double.CreateChecked(w[((r * s.S + t) * s.GroupIc + c % s.GroupIc) * s.Oc + o]);
                            }
                        dx[((i * s.H + h) * s.W + column) * s.Ic + c] = T.CreateChecked(sum);
                    }
    }

    /// <inheritdoc cref="Forward{T}"/>
    internal static void BackwardWeights<T>(in ConvolutionShape s, ReadOnlySpan<T> x, ReadOnlySpan<T> y, ReadOnlySpan<T> dy, Span<T> dw, Span<T> db)
        where T : unmanaged, INumber<T>
    {
        for (int r = 0; r < s.R; r++)
            for (int t = 0; t < s.S; t++)
                for (int c = 0; c < s.GroupIc; c++)
                    for (int o = 0; o < s.Oc; o++)
                    {
                        int group = o / s.GroupOc;
                        double sum = 0;
                        for (int i = 0; i < s.B; i++)
                            for (int p = 0; p < s.P; p++)
                                for (int q = 0; q < s.Q; q++)
                                {
                                    int row = p * s.Stride + r - s.Padding, column = q * s.Stride + t - s.Padding;
                                    if (row < 0 || row >= s.H || column < 0 || column >= s.W)
                                        continue;
                                    sum += double.CreateChecked(x[((i * s.H + row) * s.W + column) * s.Ic + group * s.GroupIc + c])
                                        * Masked(s, y, dy, ((i * s.P + p) * s.Q + q) * s.YPitch + o);
                                }
                        dw[((r * s.S + t) * s.GroupIc + c) * s.Oc + o] = T.CreateChecked(sum);
                    }
        for (int o = 0; o < s.HasBias * s.Oc; o++)
        {
            double sum = 0;
            for (int pixel = 0; pixel < s.B * s.P * s.Q; pixel++)
                sum += Masked(s, y, dy, pixel * s.YPitch + o);
            db[o] = T.CreateChecked(sum);
        }
    }

    private static double Masked<T>(in ConvolutionShape s, ReadOnlySpan<T> y, ReadOnlySpan<T> dy, int index)
        where T : unmanaged, INumber<T>
        => s.Relu != 0 && y[index] <= T.Zero ? 0 : double.CreateChecked(dy[index]);
}
