using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>Shape of an exact search.</summary>
/// <param name="D">Numbers of a descriptor.</param>
/// <param name="K">Neighbours of every query; at most 2048 and at most Database.</param>
public readonly record struct SearchShape(int Queries, int Database, int D, int K);

/// <summary>
/// The K database rows nearest to every query:
/// <code>
/// distance2[q,0…K) = the smallest Σ_d (queries[q,d] − database[i,d])², ascending; index[q,·] = their i
/// equal distances by lower i, distances that are not a number last     queries [Queries,D], database [Database,D]
/// </code>
/// Equal rows have bit-equal distances wherever they stand: a pair's sum has one order, whatever tile it falls into. A distance and its
/// row form one 64-bit key (the bits of a float that is not negative ascend like the float), so order by distance, then row is plain
/// integer order and merging lists in any order gives the same result. Memory is O(Queries·K), never Queries·Database.
/// 2·Queries·Database·D FLOPs by ‖q‖² + ‖d‖² − 2q·d on the processor, 3 by differences on CUDA; tensor cores
/// take the 2 and leave the 3 to the pairs that may be among the nearest.
/// </summary>
public static partial class NearestNeighbours
{
    public const int MaxK = 2048;

    public static readonly Operation<SearchShape> Operation = new()
    {
        Name = "search.nearest",
        FollowsData = true,
        Contract = "distance2, index [Queries,K] = smallest Σ(q−d)², ascending, ties by index   queries [Queries,D], database [Database,D]",
        Check = s => s switch
        {
            { Queries: < 0 } or { Database: < 0 } => "Queries and Database must not be negative",
            { D: < 1 } => "D must be at least 1",
            { K: < 1 or > MaxK } => $"K must be from 1 to {MaxK}",
            _ => s.Queries > 0 && s.K > s.Database ? "K must not be more than Database" : null,
        },
        Buffers = s =>
        [
            new("queries", (long)s.Queries * s.D, Access.Read), new("database", (long)s.Database * s.D, Access.Read),
            new("distance2", (long)s.Queries * s.K, Access.Write), new("index", (long)s.Queries * s.K, Access.Write, IsIndex: true),
        ],
        Flops = s => 2.0 * s.Queries * s.Database * s.D,
        // Sums of D terms, sequential on CUDA, whose roundings add like a random walk; three more for the norms.
        Tolerance = s => 2 * (Math.Sqrt(s.D) + 3) * 6e-8,
        Variants =
        [
            new("host", VariantKind.Host, HostPreparation, HostWorkspace),
            new(TensorTile<WideTile, Bf16Numbers>.Name, VariantKind.TensorCore, RunTensor, TensorWorkspace,
                kernels: [SearchFilter<WideTile>.Kernel, SearchRescore.Kernel, SearchFacts.Kernel, TensorOperand<Bf16Numbers>.Pack]),
            new("simt", VariantKind.Simt, RunSimt, SimtWorkspace, kernels: [Simt.Distances, Simt.Merge]),
            new("reference", VariantKind.Reference, RunReference),
        ],
        Examples =
        [
            new(0, 0, 3, 1), new(0, 5, 3, 9), new(1, 1, 1, 1), new(3, 7, 16, 7), new(33, 34, 17, 5), new(2, 200, 40, 65),
            new(65, 7, 2, 3), new(1, 301, 1041, 20), new(2, 2100, 6, 2048), new(2, 4200, 2, 300),
        ],
        Fill = FillExample,
    };

    /// <inheritdoc cref="NearestNeighbours"/>
    /// <param name="workspace"><c>Operation.Workspace</c> floats.</param>
    public static void Search(Device device, in SearchShape shape, ArrayView<float> queries, ArrayView<float> database, ArrayView<float> distance2, ArrayView<float> index, ArrayView<float> workspace)
        => Operation.Run(device, shape, [queries, database, distance2, index], workspace);

    /// <summary>−1, 0 and 1 where D is even: many exact ties. Else uniform values, the last quarter of the rows repeating the first.</summary>
    private static bool FillExample(SearchShape s, string buffer, Random random, float[] values)
    {
        for (int i = 0; i < values.Length; i++)
            values[i] = s.D % 2 == 0 ? random.Next(3) - 1 : random.NextSingle() * 2 - 1;
        int repeated = s.Database / 4 * s.D;
        if (buffer == "database")
            values.AsSpan(0, repeated).CopyTo(values.AsSpan(values.Length - repeated));
        return true;
    }
}
