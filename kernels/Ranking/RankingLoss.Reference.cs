using System.Numerics;
using System.Runtime.InteropServices;
using ILGPU;

namespace IlgpuNetVlad.Kernels;

public static partial class RankingLoss
{
    private static void RunReference(in RankingShape s, int rule, ReadOnlySpan<ArrayView<float>> buffers)
        => Reference<float>(s, rule == Pull, HostMemory.Span(buffers[0]), MemoryMarshal.Cast<float, int>(HostMemory.Span(buffers[1])),
            HostMemory.Span(buffers[2]), MemoryMarshal.Cast<float, int>(HostMemory.Span(buffers[3])), HostMemory.Span(buffers[4]));

    /// <summary>The contract in plain loops; T is float in the table and double where gradients are checked by finite differences.</summary>
    internal static void Reference<T>(in RankingShape s, bool contrastive, ReadOnlySpan<T> descriptors, ReadOnlySpan<int> indices, Span<T> loss, Span<int> violating, Span<T> dDescriptors)
        where T : unmanaged, INumber<T>
    {
        var gradient = new double[dDescriptors.Length];
        for (int t = 0; t < s.Tuples; t++)
        {
            var rows = indices.Slice(t * (1 + s.Places), 1 + s.Places);
            double sum = 0, nearest = double.PositiveInfinity;
            int count = 0, positive = -1;
            for (int i = 1; i <= s.MaxPositives; i++)
            {
                if (rows[0] < 0 || rows[i] < 0)
                    continue;
                double distance = SquaredDistance(descriptors, rows[0], rows[i], s.D);
                if (positive < 0 || distance < nearest || (double.IsNaN(distance) && !double.IsNaN(nearest)))
                    (positive, nearest) = (rows[i], distance);
            }
            if (positive >= 0)
            {
                for (int j = 1 + s.MaxPositives; j <= s.Places; j++)
                {
                    if (rows[j] < 0)
                        continue;
                    double distance = SquaredDistance(descriptors, rows[0], rows[j], s.D);
                    double gap = (contrastive ? 0 : nearest) + s.Margin - distance;
                    if (gap <= 0)
                        continue;
                    count++;
                    sum += contrastive ? 0.5 * gap : gap;
                    Pair(descriptors, gradient, rows[0], rows[j], s.D, contrastive ? -1 : -2);
                }
                if (contrastive)
                    sum += 0.5 * nearest;
                Pair(descriptors, gradient, rows[0], positive, s.D, contrastive ? 1 : 2 * count);
            }
            loss[t] = T.CreateChecked(sum);
            violating[t] = count;
        }
        for (int i = 0; i < gradient.Length; i++)
            dDescriptors[i] = T.CreateChecked(gradient[i]);
    }

    /// <summary>Gradient of ½·coefficient·‖q − x‖² by both rows.</summary>
    private static void Pair<T>(ReadOnlySpan<T> descriptors, double[] gradient, int query, int other, int length, double coefficient)
        where T : unmanaged, INumber<T>
    {
        if (coefficient == 0)
            return;
        for (int i = 0; i < length; i++)
        {
            double change = coefficient * (double.CreateChecked(descriptors[query * length + i]) - double.CreateChecked(descriptors[other * length + i]));
            gradient[query * length + i] += change;
            gradient[other * length + i] -= change;
        }
    }

    private static double SquaredDistance<T>(ReadOnlySpan<T> descriptors, int a, int b, int length)
        where T : unmanaged, INumber<T>
    {
        double sum = 0;
        for (int i = 0; i < length; i++)
        {
            double difference = double.CreateChecked(descriptors[a * length + i]) - double.CreateChecked(descriptors[b * length + i]);
            sum += difference * difference;
        }
        return sum;
    }
}
