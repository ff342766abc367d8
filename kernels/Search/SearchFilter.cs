using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>One launch of <see cref="SearchFilter{TTile}"/>.</summary>
/// <param name="RowChunks">Chunks of bf16 in a row.</param>
/// <param name="K">Neighbours that are looked for.</param>
/// <param name="First">1: no neighbour is known, and every row may be one.</param>
internal readonly record struct SearchFilterShape(int Queries, int Rows, int D, int RowChunks, int K, int First)
{
    /// <summary>Words of 32 rows.</summary>
    public int Words => (Rows + 31) / 32;
}

/// <summary>
/// Which rows of the database may be among the K nearest of a query: a product on tensor cores (<see cref="TensorProduct"/>; A queries, B rows, both by k), whose sums never leave the registers. With
/// <see cref="SearchFacts"/> a sum gives a distance that the pair has at least; where that lies beyond the K-th distance found so far, the row is out. What is written is one bit a pair: 2·D FLOPs for an eighth of a byte.
/// <code>
/// word [query][row / 32], byte q of it by thread 4g + q of the warp whose 32 columns these are: bits 2n and 2n + 1 are its columns 8n + 2q and 8n + 2q + 1
/// </code>
/// </summary>
internal static class SearchFilter<TTile>
    where TTile : struct, ITensorTile
{
    public static readonly SimtKernel<Action<KernelConfig, ArrayView<Chunk>, ArrayView<Chunk>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<byte>, SearchFilterShape>> Kernel =
        new($"search.filter.{TensorTile<TTile, Bf16Numbers>.Name}", Run, a => a.LoadStreamKernel<ArrayView<Chunk>, ArrayView<Chunk>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<byte>, SearchFilterShape>(Run, TensorTile<TTile, Bf16Numbers>.Bounds), TensorTile<TTile, Bf16Numbers>.Bounds);

    /// <param name="distance2">[Queries, K], the last of each query the K-th distance so far.</param>
    private static void Run(
        ArrayView<Chunk> queries, ArrayView<Chunk> rows, ArrayView<float> queryFacts, ArrayView<float> rowFacts, ArrayView<float> distance2, ArrayView<byte> mask, SearchFilterShape p)
    {
        var shared = default(TTile).Shared();
        var product = TensorCoreGemm<TTile, Bf16Numbers>.Of(queries, rows, distance2, new TensorGemm(p.Queries, p.Rows, p.RowChunks, 1, p.RowChunks));
        var sums = TensorProduct.Sum<TensorCoreGemm<TTile, Bf16Numbers>, TTile, Bf16Numbers>(shared, product);
        int row = Grid.IdxX * TensorTile<TTile, Bf16Numbers>.Rows + TensorTile<TTile, Bf16Numbers>.ThreadRow;
        int column = Grid.IdxY * TensorTile<TTile, Bf16Numbers>.Columns + TensorTile<TTile, Bf16Numbers>.ThreadColumn;
        Filter(queryFacts, rowFacts, distance2, mask, p, row, column, sums.M0);
        Filter(queryFacts, rowFacts, distance2, mask, p, row + 16, column, sums.M1);
        Filter(queryFacts, rowFacts, distance2, mask, p, row + 32, column, sums.M2);
        Filter(queryFacts, rowFacts, distance2, mask, p, row + 48, column, sums.M3);
    }

    private static void Filter(
        ArrayView<float> queryFacts, ArrayView<float> rowFacts, ArrayView<float> distance2, ArrayView<byte> mask, in SearchFilterShape p, int query, int column, Sums16 s)
    {
        Filter(queryFacts, rowFacts, distance2, mask, p, query, column, s.A0, s.A1, s.B0, s.B1, s.C0, s.C1, s.D0, s.D1);
        Filter(queryFacts, rowFacts, distance2, mask, p, query + 8, column, s.A2, s.A3, s.B2, s.B3, s.C2, s.C3, s.D2, s.D3);
    }

    private static void Filter(
        ArrayView<float> queryFacts, ArrayView<float> rowFacts, ArrayView<float> distance2, ArrayView<byte> mask, in SearchFilterShape p, int query, int column,
        float a0, float a1, float b0, float b1, float c0, float c1, float d0, float d1)
    {
        if (query >= p.Queries || column / 32 >= p.Words)
            return;
        int at = query * SearchFacts.Length;
        float square = queryFacts[at], length = queryFacts[at + 1], error = queryFacts[at + 2];
        float limit = p.First != 0 ? float.PositiveInfinity : distance2[query * p.K + p.K - 1] * (1 + SearchFacts.Slack(p.D));
        int bits = Stays(rowFacts, p, column, a0, square, length, error, limit) | Stays(rowFacts, p, column + 1, a1, square, length, error, limit) << 1
            | Stays(rowFacts, p, column + 8, b0, square, length, error, limit) << 2 | Stays(rowFacts, p, column + 9, b1, square, length, error, limit) << 3
            | Stays(rowFacts, p, column + 16, c0, square, length, error, limit) << 4 | Stays(rowFacts, p, column + 17, c1, square, length, error, limit) << 5
            | Stays(rowFacts, p, column + 24, d0, square, length, error, limit) << 6 | Stays(rowFacts, p, column + 25, d1, square, length, error, limit) << 7;
        mask[(query * p.Words + column / 32) * 4 + column % 8 / 2] = (byte)bits;
    }

    /// <summary>1 where the pair's distance may be within the limit, and where NaN or infinity leave that open.</summary>
    private static int Stays(ArrayView<float> rowFacts, in SearchFilterShape p, int row, float dot, float square, float length, float error, float limit)
    {
        if (row >= p.Rows)
            return 0;
        int at = row * SearchFacts.Length;
        float least = square + rowFacts[at] - 2 * (dot + length * rowFacts[at + 1] + error * rowFacts[at + 2]);
        return least > limit ? 0 : 1;
    }
}
