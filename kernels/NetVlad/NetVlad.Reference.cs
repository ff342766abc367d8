using System.Numerics;
using ILGPU;

namespace IlgpuNetVlad.Kernels;

public static partial class NetVlad
{
    private static void ForwardReference(Device device, in NetVladShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        => Forward<float>(s, HostMemory.Span(v[0]), HostMemory.Span(v[1]), HostMemory.Span(v[2]), HostMemory.Span(v[3]), HostMemory.Span(v[4]));

    private static void BackwardReference(Device device, in NetVladShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        => Backward<float>(s, HostMemory.Span(v[0]), HostMemory.Span(v[1]), HostMemory.Span(v[2]), HostMemory.Span(v[3]), HostMemory.Span(v[4]),
            HostMemory.Span(v[5]), HostMemory.Span(v[6]), HostMemory.Span(v[7]), HostMemory.Span(v[8]));

    /// <summary>What the forward pass computes of one image, in fp64.</summary>
    private sealed class ReferenceImage
    {
        public required double[] Unit, Assignment, Mass, Normalised;
        public required double[] RowNorm, ClusterNorm;
        public required bool[] RowClamped, ClusterClamped;
        public required double FinalNorm;
        public required bool FinalClamped;

        public static ReferenceImage Compute<T>(in NetVladShape s, ReadOnlySpan<T> x, ReadOnlySpan<T> w, ReadOnlySpan<T> b, ReadOnlySpan<T> c)
            where T : unmanaged, INumber<T>
        {
            bool soft = s.SoftFloor != 0;
            var image = new ReferenceImage
            {
                Unit = new double[s.N * s.D], Assignment = new double[s.N * s.K], Mass = new double[s.K], Normalised = new double[s.K * s.D],
                RowNorm = new double[s.N], RowClamped = new bool[s.N], ClusterNorm = new double[s.K], ClusterClamped = new bool[s.K],
                FinalNorm = 0, FinalClamped = false,
            };
            for (int i = 0; i < s.N; i++)
            {
                var row = x.Slice(i * s.D, s.D);
                image.RowNorm[i] = L2Normalization.Norm(row, soft, out image.RowClamped[i]);
                for (int d = 0; d < s.D; d++)
                    image.Unit[i * s.D + d] = double.CreateChecked(row[d]) / image.RowNorm[i];
                double largest = double.NegativeInfinity, total = 0;
                for (int k = 0; k < s.K; k++)
                {
                    double logit = s.HasBias != 0 ? double.CreateChecked(b[k]) : 0;
                    for (int d = 0; d < s.D; d++)
                        logit += double.CreateChecked(w[k * s.D + d]) * image.Unit[i * s.D + d];
                    image.Assignment[i * s.K + k] = logit;
                    largest = Math.Max(largest, logit);
                }
                for (int k = 0; k < s.K; k++)
                    total += image.Assignment[i * s.K + k] = Math.Exp(image.Assignment[i * s.K + k] - largest);
                for (int k = 0; k < s.K; k++)
                    image.Mass[k] += image.Assignment[i * s.K + k] /= total;
            }
            double square = 0;
            for (int k = 0; k < s.K; k++)
            {
                var cluster = image.Normalised.AsSpan(k * s.D, s.D);
                for (int d = 0; d < s.D; d++)
                {
                    double sum = 0;
                    for (int i = 0; i < s.N; i++)
                        sum += image.Assignment[i * s.K + k] * image.Unit[i * s.D + d];
                    cluster[d] = sum - image.Mass[k] * double.CreateChecked(c[k * s.D + d]);
                }
                image.ClusterNorm[k] = L2Normalization.Norm<double>(cluster, soft, out image.ClusterClamped[k]);
                for (int d = 0; d < s.D; d++)
                {
                    cluster[d] /= image.ClusterNorm[k];
                    square += cluster[d] * cluster[d];
                }
            }
            image.FinalNorm = L2Normalization.Norm<double>([Math.Sqrt(square)], soft, out bool clamped);
            image.FinalClamped = clamped;
            return image;
        }
    }

    /// <summary>The contract in plain loops with fp64 sums; T is float in the table, double where gradients are checked.</summary>
    internal static void Forward<T>(in NetVladShape s, ReadOnlySpan<T> x, ReadOnlySpan<T> w, ReadOnlySpan<T> b, ReadOnlySpan<T> c, Span<T> y)
        where T : unmanaged, INumber<T>
    {
        for (int i = 0; i < s.B; i++)
        {
            var image = ReferenceImage.Compute(s, x.Slice(i * s.N * s.D, s.N * s.D), w, b, c);
            for (int j = 0; j < s.K * s.D; j++)
                y[i * s.K * s.D + j] = T.CreateChecked(image.Normalised[j] / image.FinalNorm);
        }
    }

    /// <inheritdoc cref="Forward{T}"/>
    internal static void Backward<T>(in NetVladShape s, ReadOnlySpan<T> x, ReadOnlySpan<T> w, ReadOnlySpan<T> b, ReadOnlySpan<T> c, ReadOnlySpan<T> dy,
        Span<T> dx, Span<T> dw, Span<T> db, Span<T> dc)
        where T : unmanaged, INumber<T>
    {
        double[] sumW = new double[s.K * s.D], sumC = new double[s.K * s.D], sumB = new double[s.K], residual = new double[s.K * s.D];
        double[] da = new double[s.K], unit = new double[s.D];
        for (int i = 0; i < s.B; i++)
        {
            var image = ReferenceImage.Compute(s, x.Slice(i * s.N * s.D, s.N * s.D), w, b, c);
            var gradient = dy.Slice(i * s.K * s.D, s.K * s.D);
            double along = 0;
            for (int j = 0; j < s.K * s.D; j++)
                along += image.Normalised[j] / image.FinalNorm * double.CreateChecked(gradient[j]);
            for (int k = 0; k < s.K; k++)
            {
                double within = 0;
                for (int j = k * s.D; j < (k + 1) * s.D; j++)
                {
                    residual[j] = image.FinalClamped ? 0 : (double.CreateChecked(gradient[j]) - image.Normalised[j] / image.FinalNorm * along) / image.FinalNorm;
                    within += image.Normalised[j] * residual[j];
                }
                for (int j = k * s.D; j < (k + 1) * s.D; j++)
                {
                    residual[j] = image.ClusterClamped[k] ? 0 : (residual[j] - image.Normalised[j] * within) / image.ClusterNorm[k];
                    sumC[j] -= image.Mass[k] * residual[j];
                }
            }
            for (int n = 0; n < s.N; n++)
            {
                double mean = 0, inward = 0;
                for (int k = 0; k < s.K; k++)
                {
                    da[k] = 0;
                    for (int d = 0; d < s.D; d++)
                        da[k] += (image.Unit[n * s.D + d] - double.CreateChecked(c[k * s.D + d])) * residual[k * s.D + d];
                    mean += image.Assignment[n * s.K + k] * da[k];
                }
                Array.Clear(unit);
                for (int k = 0; k < s.K; k++)
                {
                    double a = image.Assignment[n * s.K + k], ds = a * (da[k] - mean);
                    sumB[k] += ds;
                    for (int d = 0; d < s.D; d++)
                    {
                        sumW[k * s.D + d] += ds * image.Unit[n * s.D + d];
                        unit[d] += a * residual[k * s.D + d] + ds * double.CreateChecked(w[k * s.D + d]);
                    }
                }
                for (int d = 0; d < s.D; d++)
                    inward += image.Unit[n * s.D + d] * unit[d];
                for (int d = 0; d < s.D && dx.Length > 0; d++)
                    dx[(i * s.N + n) * s.D + d] = T.CreateChecked(image.RowClamped[n] ? 0 : (unit[d] - image.Unit[n * s.D + d] * inward) / image.RowNorm[n]);
            }
        }
        for (int j = 0; j < s.K * s.D; j++)
        {
            dw[j] = T.CreateChecked(sumW[j]);
            dc[j] = T.CreateChecked(sumC[j]);
        }
        for (int k = 0; k < s.K * s.HasBias; k++)
            db[k] = T.CreateChecked(sumB[k]);
    }
}
