using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// On tensor cores the database comes in blocks. bf16 only says which pairs can be among the nearest at all; fp32 decides between those. So the result is the exact search's, whatever the data: no number of candidates is guessed,
/// and there is nothing to fall back from. Only the time depends on the data: on descriptors of unit length the bound is 2·(2·2⁻⁹ + D·2⁻²²) wide at most, so few rows beyond the K nearest are rescored; where all distances are alike, all are.
/// <para>
/// The first block is as small as K allows, for everything in it is rescored; each next one is twice as large. Of n rows in random order, K/n of the next ones come before the K-th nearest, so 2·K rows of a block are left
/// for each query, and what the bound cannot tell.
/// </para>
/// </summary>
public static partial class NearestNeighbours
{
    private const int LargestBlock = 4096;

    private static int FirstBlock(in SearchShape s) => Math.Min(s.Database, SearchKeys.Half(s.K));

    /// <summary>Rows of the largest block, of queries and of the database.</summary>
    private static (int Queries, int Rows) Blocks(in SearchShape s) => (Math.Min(s.Queries, SimtQueries), Math.Min(s.Database, LargestBlock));

    /// <summary>Rounded queries and rows, their facts, and the bits.</summary>
    private static long TensorWorkspace(Device device, SearchShape s)
    {
        var (queries, rows) = Blocks(s);
        return s.Queries == 0 ? 0
            : Bf16Rows.Floats(queries + rows, s.D) + Room(SearchFacts.Length * (long)queries) + Room(SearchFacts.Length * (long)rows) + (long)queries * ((rows + 31) / 32);
    }

    private static void RunTensor(Device device, in SearchShape s, ReadOnlySpan<ArrayView<float>> buffers, ArrayView<float> workspace)
    {
        if (s.Queries == 0)
            return;
        var (mostQueries, mostRows) = Blocks(s);
        var queryFacts = Take(ref workspace, SearchFacts.Length * (long)mostQueries);
        var rowFacts = Take(ref workspace, SearchFacts.Length * (long)mostRows);
        for (int query0 = 0; query0 < s.Queries; query0 += SimtQueries)
        {
            int count = Math.Min(SimtQueries, s.Queries - query0);
            var own = buffers[0].SubView((long)query0 * s.D, (long)count * s.D);
            var results = buffers[2].SubView((long)query0 * s.K, (long)count * s.K);
            var afterQueries = workspace;
            var queries = TensorOperand<Bf16Numbers>.Take(device, PackingShape.Of<Bf16Numbers>(count, s.D), own, own, ref afterQueries);
            SearchFacts.Run(device, own, queryFacts, count, s.D, ofDatabase: 0);
            for (int row0 = 0, rows = FirstBlock(s); row0 < s.Database; row0 += rows, rows = Math.Min(Math.Min(2 * rows, LargestBlock), s.Database - row0))
            {
                var theirs = buffers[1].SubView((long)row0 * s.D, (long)rows * s.D);
                var mask = afterQueries;
                var database = TensorOperand<Bf16Numbers>.Take(device, PackingShape.Of<Bf16Numbers>(rows, s.D), theirs, theirs, ref mask);
                SearchFacts.Run(device, theirs, rowFacts, rows, s.D, ofDatabase: 1);
                var p = new SearchFilterShape(count, rows, s.D, Bf16Rows.RowFloats(s.D) / 4, s.K, row0 == 0 ? 1 : 0);
                var bits = (ArrayView1D<float, Stride1D.Dense>)mask.SubView(0, (long)count * p.Words);
                SearchFilter<WideTile>.Kernel.On(device)(
                    TensorTile<WideTile, Bf16Numbers>.Blocks(count, rows), queries, database, queryFacts, rowFacts, results, bits.Cast<float, byte>().AsContiguous(), p);
                SearchRescore.Kernel.On(device)(
                    new KernelConfig(count, SearchKeys.Group), buffers[0], buffers[1], bits.Cast<float, uint>().AsContiguous(), buffers[2], buffers[3].AsIndices(), s,
                    new SearchBlock(query0, count, row0, rows));
            }
        }
    }

    /// <summary>Pieces begin at multiples of 16 bytes.</summary>
    private static long Room(long length) => (length + 3) / 4 * 4;

    private static ArrayView<float> Take(ref ArrayView<float> workspace, long length)
    {
        var taken = workspace.SubView(0, length);
        workspace = workspace.SubView(Room(length), workspace.Length - Room(length));
        return taken;
    }
}
