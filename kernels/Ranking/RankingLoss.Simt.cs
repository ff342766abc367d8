using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

public static partial class RankingLoss
{
    private static void RunSimt(Device device, in RankingShape s, int rule, ReadOnlySpan<ArrayView<float>> buffers, ArrayView<float> workspace)
    {
        if (s.Tuples * s.Places > 0)
        {
            Simt.Distances.On(device)(new KernelConfig(s.Tuples * s.Places, Simt.Group), buffers[0], buffers[1].AsIndices(), workspace, s);
            Simt.Coefficients.On(device)(new KernelConfig((s.Tuples + Simt.Group - 1) / Simt.Group, Simt.Group),
                buffers[1].AsIndices(), workspace, buffers[2], buffers[3].AsIndices(), s, rule);
        }
        if (s.Images > 0)
            Simt.Gradients.On(device)(new KernelConfig(s.Images * ((s.D + Simt.Group - 1) / Simt.Group), Simt.Group),
                buffers[0], buffers[1].AsIndices(), workspace, buffers[4], s);
    }

    private static class Simt
    {
        public const int Group = 64;

        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<int>, ArrayView<float>, RankingShape>> Distances =
            new("ranking.distances.simt", DistancesKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<int>, ArrayView<float>, RankingShape>(DistancesKernel));

        public static readonly SimtKernel<Action<KernelConfig, ArrayView<int>, ArrayView<float>, ArrayView<float>, ArrayView<int>, RankingShape, int>> Coefficients =
            new("ranking.coefficients.simt", CoefficientsKernel,
                a => a.LoadStreamKernel<ArrayView<int>, ArrayView<float>, ArrayView<float>, ArrayView<int>, RankingShape, int>(CoefficientsKernel));

        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<int>, ArrayView<float>, ArrayView<float>, RankingShape>> Gradients =
            new("ranking.gradients.simt", GradientsKernel,
                a => a.LoadStreamKernel<ArrayView<float>, ArrayView<int>, ArrayView<float>, ArrayView<float>, RankingShape>(GradientsKernel));

        /// <summary>One group a pair: 64 strided sums, then a tree.</summary>
        private static void DistancesKernel(ArrayView<float> x, ArrayView<int> rows, ArrayView<float> distances, RankingShape s)
        {
            var partial = SharedMemory.Allocate1D<float>(Group);
            int pair = Grid.IdxX, lane = ILGPU.Group.IdxX, tuple = pair / s.Places;
            int query = rows[tuple * (1 + s.Places)], other = rows[pair + tuple + 1];
            float sum = 0;
            if (query >= 0 && other >= 0)
            {
                long a = (long)query * s.D, b = (long)other * s.D;
                for (int i = lane; i < s.D; i += Group)
                {
                    float difference = x[a + i] - x[b + i];
                    sum = PtxMath.Fma(difference, difference, sum);
                }
            }
            partial[lane] = sum;
            for (int half = Group / 2; half > 0; half /= 2)
            {
                ILGPU.Group.Barrier();
                if (lane < half)
                    partial[lane] += partial[lane + half];
            }
            if (lane == 0)
                distances[pair] = partial[0];
        }

        /// <summary>One thread a tuple; the distances become coefficients in place.</summary>
        private static void CoefficientsKernel(ArrayView<int> rows, ArrayView<float> places, ArrayView<float> loss, ArrayView<int> violating, RankingShape s, int rule)
        {
            int tuple = Grid.IdxX * Group + ILGPU.Group.IdxX;
            if (tuple >= s.Tuples)
                return;
            int place0 = tuple * s.Places, row0 = tuple * (1 + s.Places), count = 0, positive = -1;
            float sum = 0, nearest = 0;
            for (int i = 0; i < s.MaxPositives; i++)
            {
                float distance = places[place0 + i];
                if (rows[row0] >= 0 && rows[row0 + 1 + i] >= 0 && (positive < 0 || distance < nearest || (float.IsNaN(distance) && !float.IsNaN(nearest))))
                {
                    positive = i;
                    nearest = distance;
                }
                places[place0 + i] = 0;
            }
            for (int j = s.MaxPositives; j < s.Places; j++)
            {
                float gap = (rule == Pull ? 0 : nearest) + s.Margin - places[place0 + j], coefficient = 0;
                if (positive >= 0 && rows[row0 + 1 + j] >= 0 && !(gap <= 0))
                {
                    count++;
                    sum += rule == Pull ? 0.5f * gap : gap;
                    coefficient = rule == Pull ? -1 : -2;
                }
                places[place0 + j] = coefficient;
            }
            if (positive >= 0)
            {
                places[place0 + positive] = rule == Pull ? 1 : 2 * count;
                if (rule == Pull)
                    sum += 0.5f * nearest;
            }
            loss[tuple] = sum;
            violating[tuple] = count;
        }

        /// <summary>One thread a number of dDescriptors; all threads of a group share a row and so take the same branches.</summary>
        private static void GradientsKernel(ArrayView<float> x, ArrayView<int> rows, ArrayView<float> coefficients, ArrayView<float> dx, RankingShape s)
        {
            int blocks = (s.D + Group - 1) / Group, image = Grid.IdxX / blocks, column = Grid.IdxX % blocks * Group + ILGPU.Group.IdxX;
            if (column >= s.D)
                return;
            float own = x[(long)image * s.D + column], sum = 0;
            for (int t = 0; t < s.Tuples; t++)
            {
                int query = rows[t * (1 + s.Places)];
                for (int i = 0; i < s.Places; i++)
                {
                    int other = rows[t * (1 + s.Places) + 1 + i];
                    float c = coefficients[t * s.Places + i];
                    if (c != 0 && query != other && (query == image || other == image))
                        sum = PtxMath.Fma(c, own - x[(long)(query == image ? other : query) * s.D + column], sum);
                }
            }
            dx[(long)image * s.D + column] = sum;
        }
    }
}
