using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// On the processor: dot products by <see cref="PackedTile{T}"/>, blocked so that each number is where it is used next (Goto and van de Geijn, ACM TOMS 34, 2008). The database is packed
/// beforehand (<see cref="Preparation{TProblem}"/>) and not needed as it was.
/// <code>
/// for each 240 queries                                packed, third-level cache
///   for each some panels of 32 rows, in parallel      from memory, once
///     for each 256 numbers of D                       queries 240 × 256, second-level cache: 240 KB; sums beside them; panels, 32 KB each, pass by
///       tiles of 12 × 32 in registers
///     distances from the sums, the smallest to the query's heap, of which each thread has one
/// </code>
/// So the database passes once for 240 queries, which takes a twentieth of their arithmetic's time; for a few of them it passes at the pace of memory. One pair's sum is that of its pieces of
/// 256, each from zero, in order: D alone fixes it, whatever block the pair falls into and however many queries are asked.
/// </summary>
public static partial class NearestNeighbours
{
    /// <summary>Rows of the database whose panels stand behind each other, and queries that are asked together at most.</summary>
    private const int RowBlock = 512, MostQueries = 240;

    /// <summary>Floats of the database in one tile of the work, about: with AVX-512, or for few queries.</summary>
    private const long TileLength = 1 << 19;

    /// <summary>
    /// So many queries take a whole block of the database where vectors are narrower. Its panels have half of AVX-512's rows, and each of the queries' pieces is fetched from the third-level
    /// cache for all panels of a tile: with 8 of them that took a fifteenth of the time; the sums of 32 do not fit in the second-level cache, but they are asked for in time.
    /// </summary>
    private const int ManyQueries = 64;

    /// <summary>Panels of <see cref="RowBlock"/>.</summary>
    private static int BlockPanels => RowBlock / PackedTile<float>.Columns;

    /// <summary>Queries that are asked together: blocks of equal size, in whole panels.</summary>
    private static int Together(in SearchShape s)
    {
        int rows = PackedTile<float>.Rows, panels = (s.Queries + rows - 1) / rows, blocks = (s.Queries + MostQueries - 1) / MostQueries;
        return Math.Min(s.Queries, (panels + blocks - 1) / Math.Max(1, blocks) * rows);
    }

    /// <summary>Panels of a tile of the work: a power of two up to <see cref="BlockPanels"/>, fewer where threads would have less than four tiles each.</summary>
    private static int TilePanels(Device device, in SearchShape s, int all)
    {
        int panels = 1;
        long most = Vector512.IsHardwareAccelerated || s.Queries < ManyQueries ? TileLength : long.MaxValue;
        while (panels < BlockPanels && (long)panels * PackedTile<float>.Columns * s.D < most && panels * 8 * device.Threads <= all)
            panels *= 2;
        return panels;
    }

    private static Preparation<SearchShape> HostPreparation => new(
        (_, s) => PackedDescriptors.LengthOf(s.Database, s.D, PackedTile<float>.Columns),
        PackDatabase,
        RunHost)
    {
        Replaced = 1,
    };

    private static unsafe void PackDatabase(Device device, in SearchShape s, ReadOnlySpan<ArrayView<float>> buffers, ArrayView<float> prepared)
        => PackedDatabase(s, prepared).Pack(device, HostMemory.Pointer(buffers[1]));

    private static unsafe PackedDescriptors PackedDatabase(in SearchShape s, ArrayView<float> prepared)
        => new(HostMemory.Pointer(prepared), s.Database, s.D, PackedTile<float>.Columns, BlockPanels);

    /// <summary>Floats of a thread's sums.</summary>
    private const long SumsLength = (long)MostQueries * RowBlock;

    /// <summary>For no more than 240 queries, and never more for fewer: packed; and for each thread sums, and a heap of K keys a query.</summary>
    private static long HostWorkspace(Device device, SearchShape s)
    {
        int most = Math.Min(s.Queries, MostQueries);
        return PackedDescriptors.LengthOf(most, s.D, PackedTile<float>.Rows) + device.Threads * (SumsLength + 2L * most * s.K);
    }

    private static unsafe void RunHost(Device device, in SearchShape s, ReadOnlySpan<ArrayView<float>> buffers, ArrayView<float> prepared, ArrayView<float> workspace)
    {
        var database = PackedDatabase(s, prepared);
        int together = Together(s), panels = TilePanels(device, s, database.Panels);
        for (int first = 0; first < s.Queries; first += together)
        {
            int count = Math.Min(together, s.Queries - first);
            var queries = new PackedDescriptors(HostMemory.Pointer(workspace), count, s.D, PackedTile<float>.Rows, int.MaxValue);
            float* sums = HostMemory.Pointer(workspace) + PackedDescriptors.LengthOf(count, s.D, PackedTile<float>.Rows);
            var heaps = new SearchHeaps((ulong*)(sums + device.Threads * SumsLength), device.Threads, s.K);
            device.RunHost(queries.Panels, new StartTask(queries, HostMemory.Pointer(buffers[0]) + (long)first * s.D, heaps));
            device.RunHost((database.Panels + panels - 1) / panels, new SearchTask(s.D, queries, database, panels, sums, heaps));
            device.RunHost(queries.Panels, new EndTask(queries, heaps, HostMemory.Pointer(buffers[2]) + (long)first * s.K, (int*)HostMemory.Pointer(buffers[3]) + (long)first * s.K));
        }
    }

    /// <summary>One panel of queries is packed, and its heaps are empty.</summary>
    private readonly unsafe struct StartTask(PackedDescriptors queries, float* from, SearchHeaps heaps) : IHostTask
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int tile, int worker)
        {
            queries.Pack(tile, from);
            for (int q = 0; q < queries.RowsOf(tile); q++)
                heaps.Clear(tile * PackedTile<float>.Rows + q);
        }
    }

    /// <summary>All queries against some panels of the database, which stand behind each other.</summary>
    private readonly unsafe struct SearchTask(int length, PackedDescriptors queries, PackedDescriptors database, int width, float* scratch, SearchHeaps heaps) : IHostTask
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int tile, int worker)
        {
            int rows = PackedTile<float>.Rows, columns = PackedTile<float>.Columns, size = rows * columns, panels = queries.Panels;
            int first = tile * width, end = Math.Min(first + width, database.Panels);
            float* sums = scratch + worker * SumsLength;
            for (int start = 0; start < length; start += PackedDescriptors.Piece)
            {
                int depth = Math.Min(PackedDescriptors.Piece, length - start), share = PackedTile<float>.Ahead(panels, depth);
                float* to = sums, left = queries.Part(0, start), right = database.Part(first, start);
                for (int j = first; j < end; j++, right += columns * depth)
                {
                    float* next = right + columns * depth;
                    for (int i = 0; i < panels; i++, to += size, next += share)
                    {
                        if (share > 0)
                            PackedTile<float>.Prefetch(next, share, to);
                        QueryTile.Multiply(queries.RowsOf(i), left + i * rows * depth, right, depth, to, start > 0, share > 0 ? next : null);
                    }
                }
            }
            for (int j = first; j < end; j++)
                for (int i = 0; i < panels; i++, sums += size)
                    heaps.Offer(i * rows, queries.RowsOf(i), worker, sums, columns, queries.Norms(i), database.Norms(j), j * columns, database.RowsOf(j));
        }
    }

    /// <summary>The nearest of one panel of queries, of all threads' heaps.</summary>
    private readonly unsafe struct EndTask(PackedDescriptors queries, SearchHeaps heaps, float* distance2, int* index) : IHostTask
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int tile, int worker)
        {
            for (int i = 0, q = tile * PackedTile<float>.Rows; i < queries.RowsOf(tile); i++, q++)
                heaps.Sort(q, distance2, index);
        }
    }
}
