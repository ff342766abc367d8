using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// The distances, in fp32, of the rows that <see cref="SearchFilter{TTile}"/> left, merged into each query's nearest: one group of 64 threads a query. It gathers 64 rows from the bits, then each thread adds up
/// one distance, in the order of <c>search.distances</c>, so that both give the same bits. 3·D FLOPs and 4·D bytes a row that was left, and a bit for every other.
/// </summary>
internal static class SearchRescore
{
    public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<uint>, ArrayView<float>, ArrayView<int>, SearchShape, NearestNeighbours.SearchBlock>> Kernel =
        new("search.rescore", RescoreKernel,
            a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<uint>, ArrayView<float>, ArrayView<int>, SearchShape, NearestNeighbours.SearchBlock>(RescoreKernel));

    private static void RescoreKernel(
        ArrayView<float> queries, ArrayView<float> database, ArrayView<uint> mask, ArrayView<float> distance2, ArrayView<int> index, SearchShape s, NearestNeighbours.SearchBlock block)
    {
        var keys = SharedMemory.Allocate1D<long>(2 * NearestNeighbours.MaxK);
        var rows = SharedMemory.Allocate1D<int>(SearchKeys.Group);
        int query = block.Query0 + Grid.IdxX, half = SearchKeys.Half(s.K), words = (block.Rows + 31) / 32, gathered = 0, filled = 0;
        long results = (long)query * s.K;
        SearchKeys.Load(keys, half, distance2, index, results, s.K, block.Row0 == 0 ? 1 : 0);
        // Every thread of the group reads the same bits, so all take the same way.
        for (int word = 0; word < words; word++)
        {
            uint bits = mask[Grid.IdxX * words + word];
            for (int bit = 0; bits != 0; bit++, bits >>= 1)
            {
                if ((bits & 1) == 0)
                    continue;
                if (Group.IdxX == 0)
                    rows[gathered] = block.Row0 + word * 32 + bit % 8 / 2 * 8 + bit / 8 * 2 + bit % 2;
                gathered++;
                if (gathered == SearchKeys.Group)
                {
                    filled = Score(queries, database, keys, rows, s, query, gathered, half, filled);
                    gathered = 0;
                }
            }
        }
        if (gathered > 0)
            filled = Score(queries, database, keys, rows, s, query, gathered, half, filled);
        if (filled > 0)
            Merge(keys, half, filled);
        SearchKeys.Store(keys, distance2, index, results, s.K);
    }

    /// <summary>A key for each gathered row.</summary>
    /// <returns>Keys that now stand in the upper half.</returns>
    private static int Score(ArrayView<float> queries, ArrayView<float> database, ArrayView<long> keys, ArrayView<int> rows, in SearchShape s, int query, int gathered, int half, int filled)
    {
        Group.Barrier();
        if (Group.IdxX < gathered)
        {
            int row = rows[Group.IdxX];
            long q = (long)query * s.D, d = (long)row * s.D;
            float sum = 0;
            for (int i = 0; i < s.D; i++)
            {
                float difference = queries[q + i] - database[d + i];
                sum = PtxMath.Fma(difference, difference, sum);
            }
            keys[half + filled + Group.IdxX] = SearchKeys.Of(sum, row);
        }
        Group.Barrier();
        filled += gathered;
        if (filled < half)
            return filled;
        Merge(keys, half, filled);
        return 0;
    }

    private static void Merge(ArrayView<long> keys, int half, int filled)
    {
        for (int i = filled + Group.IdxX; i < half; i += SearchKeys.Group)
            keys[half + i] = SearchKeys.Empty;
        SearchKeys.Merge(keys, half);
    }
}
