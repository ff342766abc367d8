using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

public static partial class NearestNeighbours
{
    private const int SimtQueries = 4096, SimtRows = 4096;

    private static long SimtWorkspace(Device device, SearchShape s) => (long)Math.Min(s.Queries, SimtQueries) * Math.Min(s.Database, SimtRows);

    private static void RunSimt(Device device, in SearchShape s, ReadOnlySpan<ArrayView<float>> buffers, ArrayView<float> workspace)
    {
        for (int query0 = 0; query0 < s.Queries; query0 += SimtQueries)
            for (int row0 = 0; row0 < s.Database; row0 += SimtRows)
            {
                int queries = Math.Min(SimtQueries, s.Queries - query0), rows = Math.Min(SimtRows, s.Database - row0);
                var block = new SearchBlock(query0, queries, row0, rows);
                Simt.Distances.On(device)(new KernelConfig(new Index3D((rows + Simt.Side - 1) / Simt.Side, (queries + Simt.Side - 1) / Simt.Side, 1), new Index3D(Simt.Group, 1, 1)),
                    buffers[0], buffers[1], workspace, s, block);
                Simt.Merge.On(device)(new KernelConfig(queries, Simt.Group), workspace, buffers[2], buffers[3].AsIndices(), s, block);
            }
    }

    /// <summary>The part of the problem that one pair of launches does.</summary>
    internal readonly record struct SearchBlock(int Query0, int Queries, int Row0, int Rows);

    private static class Simt
    {
        public const int Group = SearchKeys.Group, Side = 32;
        private const int Step = 16, Pitch = Side + 1;

        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, SearchShape, SearchBlock>> Distances =
            new("search.distances.simt-32x32x16", DistancesKernel,
                a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, SearchShape, SearchBlock>(DistancesKernel));

        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<int>, SearchShape, SearchBlock>> Merge =
            new("search.merge.simt-bitonic", MergeKernel,
                a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<int>, SearchShape, SearchBlock>(MergeKernel));

        /// <summary>32 queries by 32 rows a group, 4 × 4 of them a thread; 16 numbers of each row at a time in shared memory.</summary>
        private static void DistancesKernel(ArrayView<float> queries, ArrayView<float> database, ArrayView<float> distances, SearchShape s, SearchBlock block)
        {
            var a = SharedMemory.Allocate1D<float>(Step * Pitch);
            var b = SharedMemory.Allocate1D<float>(Step * Pitch);
            int thread = ILGPU.Group.IdxX, tq = thread / 8, tr = thread % 8;
            int query0 = Grid.IdxY * Side, row0 = Grid.IdxX * Side;
            float s00 = 0, s01 = 0, s02 = 0, s03 = 0, s10 = 0, s11 = 0, s12 = 0, s13 = 0;
            float s20 = 0, s21 = 0, s22 = 0, s23 = 0, s30 = 0, s31 = 0, s32 = 0, s33 = 0;
            for (int from = 0; from < s.D; from += Step)
            {
                int column = thread % Step;
                for (int i = thread / Step; i < Side; i += Group / Step)
                {
                    // What lies outside counts as 0 on both sides: a difference of 0.
                    bool inside = from + column < s.D;
                    float q = 0, d = 0;
                    if (inside && query0 + i < block.Queries)
                        q = queries[(long)(block.Query0 + query0 + i) * s.D + from + column];
                    if (inside && row0 + i < block.Rows)
                        d = database[(long)(block.Row0 + row0 + i) * s.D + from + column];
                    a[column * Pitch + i] = q;
                    b[column * Pitch + i] = d;
                }
                ILGPU.Group.Barrier();
                for (int k = 0; k < Step; k++)
                {
                    int qi = k * Pitch + tq, di = k * Pitch + tr;
                    float q0 = a[qi], q1 = a[qi + 8], q2 = a[qi + 16], q3 = a[qi + 24];
                    float d0 = b[di], d1 = b[di + 8], d2 = b[di + 16], d3 = b[di + 24];
                    s00 = Add(s00, q0, d0);
                    s01 = Add(s01, q0, d1);
                    s02 = Add(s02, q0, d2);
                    s03 = Add(s03, q0, d3);
                    s10 = Add(s10, q1, d0);
                    s11 = Add(s11, q1, d1);
                    s12 = Add(s12, q1, d2);
                    s13 = Add(s13, q1, d3);
                    s20 = Add(s20, q2, d0);
                    s21 = Add(s21, q2, d1);
                    s22 = Add(s22, q2, d2);
                    s23 = Add(s23, q2, d3);
                    s30 = Add(s30, q3, d0);
                    s31 = Add(s31, q3, d1);
                    s32 = Add(s32, q3, d2);
                    s33 = Add(s33, q3, d3);
                }
                ILGPU.Group.Barrier();
            }
            int query = query0 + tq, row = row0 + tr;
            Store(distances, query, row, s00, s01, s02, s03, block);
            Store(distances, query + 8, row, s10, s11, s12, s13, block);
            Store(distances, query + 16, row, s20, s21, s22, s23, block);
            Store(distances, query + 24, row, s30, s31, s32, s33, block);
        }

        private static float Add(float sum, float q, float d) => PtxMath.Fma(q - d, q - d, sum);

        private static void Store(ArrayView<float> distances, int query, int row, float s0, float s1, float s2, float s3, SearchBlock block)
        {
            if (query >= block.Queries)
                return;
            long at = (long)query * block.Rows + row;
            if (row < block.Rows)
                distances[at] = s0;
            if (row + 8 < block.Rows)
                distances[at + 8] = s1;
            if (row + 16 < block.Rows)
                distances[at + 16] = s2;
            if (row + 24 < block.Rows)
                distances[at + 24] = s3;
        }

        /// <summary>
        /// One group a query: the best keys so far, ascending, in the lower half of shared memory; as many new ones in the upper half, and both are merged
        /// (<see cref="SearchKeys"/>). The best travel from launch to launch in the results themselves.
        /// </summary>
        private static void MergeKernel(ArrayView<float> distances, ArrayView<float> distance2, ArrayView<int> index, SearchShape s, SearchBlock block)
        {
            var keys = SharedMemory.Allocate1D<long>(2 * MaxK);
            int query = Grid.IdxX, half = SearchKeys.Half(s.K);
            long results = (long)(block.Query0 + query) * s.K;
            SearchKeys.Load(keys, half, distance2, index, results, s.K, block.Row0 == 0 ? 1 : 0);
            for (int from = 0; from < block.Rows; from += half)
            {
                for (int i = ILGPU.Group.IdxX; i < half; i += Group)
                {
                    long candidate = SearchKeys.Empty;
                    if (from + i < block.Rows)
                        candidate = SearchKeys.Of(distances[(long)query * block.Rows + from + i], block.Row0 + from + i);
                    keys[half + i] = candidate;
                }
                SearchKeys.Merge(keys, half);
            }
            SearchKeys.Store(keys, distance2, index, results, s.K);
        }
    }
}
