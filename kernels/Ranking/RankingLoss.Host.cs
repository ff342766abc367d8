using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ILGPU;

namespace IlgpuNetVlad.Kernels;

public static partial class RankingLoss
{
    private const int HostColumns = 2048;

    private static unsafe void RunHost(Device device, in RankingShape s, int rule, ReadOnlySpan<ArrayView<float>> buffers, ArrayView<float> workspace)
    {
        float* x = HostMemory.Pointer(buffers[0]), loss = HostMemory.Pointer(buffers[2]), dx = HostMemory.Pointer(buffers[4]), coefficients = HostMemory.Pointer(workspace);
        int* rows = (int*)HostMemory.Pointer(buffers[1]), violating = (int*)HostMemory.Pointer(buffers[3]);
        for (int i = 0; i < s.Tuples * (1 + s.Places); i++)
            if (rows[i] >= s.Images)
                throw new ArgumentException($"A tuple names row {rows[i]} of {s.Images} descriptors.");
        device.RunHost(s.Tuples * s.Places, new DistanceTask(s, x, rows, coefficients));
        for (int t = 0; t < s.Tuples; t++)
            CoefficientsOf(s, rule, rows + t * (1 + s.Places), coefficients + t * s.Places, loss + t, violating + t);
        int blocks = (s.D + HostColumns - 1) / HostColumns;
        device.RunHost(s.Images * blocks, new GradientTask(s, blocks, x, rows, coefficients, dx));
    }

    /// <summary>Turns the distances of one tuple into the coefficients of its pairs, in place.</summary>
    private static unsafe void CoefficientsOf(in RankingShape s, int rule, int* rows, float* places, float* loss, int* violating)
    {
        float sum = 0, nearest = float.PositiveInfinity;
        int count = 0, positive = -1;
        for (int i = 0; i < s.MaxPositives; i++)
        {
            float distance = places[i];
            if (rows[0] >= 0 && rows[1 + i] >= 0 && (positive < 0 || distance < nearest || (float.IsNaN(distance) && !float.IsNaN(nearest))))
                (positive, nearest) = (i, distance);
            places[i] = 0;
        }
        for (int j = s.MaxPositives; j < s.Places; j++)
        {
            float gap = (rule == Pull ? 0 : nearest) + s.Margin - places[j];
            places[j] = 0;
            if (positive < 0 || rows[1 + j] < 0 || gap <= 0)
                continue;
            count++;
            sum += rule == Pull ? 0.5f * gap : gap;
            places[j] = rule == Pull ? -1 : -2;
        }
        if (positive >= 0)
        {
            places[positive] = rule == Pull ? 1 : 2 * count;
            if (rule == Pull)
                sum += 0.5f * nearest;
        }
        *loss = sum;
        *violating = count;
    }

    // In both tasks Vector512 is emulated where there is no AVX-512: memory bounds them, and so the sums are the same at every width.
    private readonly unsafe struct DistanceTask(RankingShape s, float* x, int* rows, float* distances) : IHostTask
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int tile, int worker)
        {
            int* tuple = rows + tile / s.Places * (1 + s.Places);
            int query = tuple[0], other = tuple[1 + tile % s.Places];
            distances[tile] = query < 0 || other < 0 ? 0 : SquaredDistance(x + (long)query * s.D, x + (long)other * s.D, s.D);
        }

        /// <summary>64 partial sums, added as a tree.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static float SquaredDistance(float* a, float* b, int length)
        {
            Vector512<float> sum0 = default, sum1 = default, sum2 = default, sum3 = default;
            int i = 0;
            for (; i <= length - 64; i += 64)
            {
                var d0 = Vector512.Load(a + i) - Vector512.Load(b + i);
                var d1 = Vector512.Load(a + i + 16) - Vector512.Load(b + i + 16);
                var d2 = Vector512.Load(a + i + 32) - Vector512.Load(b + i + 32);
                var d3 = Vector512.Load(a + i + 48) - Vector512.Load(b + i + 48);
                sum0 = Vector512.MultiplyAddEstimate(d0, d0, sum0);
                sum1 = Vector512.MultiplyAddEstimate(d1, d1, sum1);
                sum2 = Vector512.MultiplyAddEstimate(d2, d2, sum2);
                sum3 = Vector512.MultiplyAddEstimate(d3, d3, sum3);
            }
            float tail = 0;
            for (; i < length; i++)
                tail += (a[i] - b[i]) * (a[i] - b[i]);
            return Vector512.Sum((sum0 + sum1) + (sum2 + sum3)) + tail;
        }
    }

    private readonly unsafe struct GradientTask(RankingShape s, int blocks, float* x, int* rows, float* coefficients, float* dx) : IHostTask
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int tile, int worker)
        {
            int image = tile / blocks, from = tile % blocks * HostColumns, count = Math.Min(HostColumns, s.D - from);
            float* sum = dx + (long)image * s.D + from;
            new Span<float>(sum, count).Clear();
            for (int t = 0; t < s.Tuples; t++)
            {
                int* tuple = rows + t * (1 + s.Places);
                for (int i = 0; i < s.Places; i++)
                {
                    int query = tuple[0], other = tuple[1 + i];
                    float c = coefficients[t * s.Places + i];
                    // c·(q − x) for the query and −c·(q − x) for the other; nothing where a row stands against itself.
                    if (c != 0 && query != other && (query == image || other == image))
                        Add(sum, x + (long)image * s.D + from, x + (long)(query == image ? other : query) * s.D + from, c, count);
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Add(float* sum, float* own, float* other, float c, int count)
        {
            var factor = Vector512.Create(c);
            int i = 0;
            for (; i <= count - 16; i += 16)
                Vector512.MultiplyAddEstimate(factor, Vector512.Load(own + i) - Vector512.Load(other + i), Vector512.Load(sum + i)).Store(sum + i);
            for (; i < count; i++)
                sum[i] += c * (own[i] - other[i]);
        }
    }
}
