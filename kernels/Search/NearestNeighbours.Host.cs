using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// On the processor: dot products by <see cref="PackedTile{T}"/>, blocked so that each number is where it is used next (Goto and van de Geijn, ACM TOMS 34, 2008):
/// <code>
/// for each block of the database, packed once        16 MB, third-level cache
///   for each block of queries, in parallel           packed once, some MB
///     for each 512 rows of the block                 sums 240 × 512, second-level cache: 480 KB
///       for each 256 numbers of D                    queries 240 × 256: 240 KB beside them; panels of 32 rows, 32 KB, pass by
///         tiles of 12 × 32 in registers
///       distances from the sums, the smallest to the query's heap
/// </code>
/// One pair's sum is that of its pieces of 256, each from zero, in order: D alone fixes it, whatever block the pair falls into.
/// </summary>
public static partial class NearestNeighbours
{
    /// <summary>Numbers of a descriptor in one piece.</summary>
    private const int Piece = 256;

    /// <summary>Rows of the database whose sums stand together in the second-level cache, and queries at most.</summary>
    private const int RowBlock = 512, MostQueries = 240;

    /// <summary>Floats of the database that are packed together.</summary>
    private const long PackedDatabase = 4L << 20;

    private static int QueryPanels(in SearchShape s) => (s.Queries + PackedTile<float>.Rows - 1) / PackedTile<float>.Rows;

    /// <summary>Panels of the block of queries that begins at <paramref name="panel"/>: smaller ones at the end, so that no thread waits long for another's last.</summary>
    private static int BlockPanels(Device device, in SearchShape s, int panel)
        => Math.Min(MostQueries / PackedTile<float>.Rows, (QueryPanels(s) - panel + 2 * device.Threads - 1) / (2 * device.Threads));

    private static int QueryBlocks(Device device, in SearchShape s)
    {
        int blocks = 0;
        for (int panel = 0; panel < QueryPanels(s); panel += BlockPanels(device, s, panel))
            blocks++;
        return blocks;
    }

    /// <summary>Where there are fewer blocks of queries than threads the rows are cut too; each slice has a heap of its own.</summary>
    private static int Slices(Device device, in SearchShape s) => Math.Clamp((device.Threads + QueryBlocks(device, s) - 1) / Math.Max(1, QueryBlocks(device, s)), 1, Math.Max(1, s.Database / RowBlock));

    /// <summary>Rows of the database that are packed together: a multiple of 512 unless descriptors are so long that fewer fit.</summary>
    private static int DatabaseBlock(in SearchShape s)
    {
        long rows = Math.Min(Math.Max(PackedDatabase / s.D, PackedTile<float>.Columns), Math.Max(s.Database, 1));
        int unit = rows >= RowBlock ? RowBlock : PackedTile<float>.Columns;
        return (int)((rows + unit - 1) / unit * unit);
    }

    private const long SumsLength = (long)MostQueries * RowBlock;

    /// <summary>
    /// Never more for fewer queries. There are slices only where the queries' panels p are fewer than the threads t: at most 12p(t/p + 1) ≤ 24t heaps.
    /// </summary>
    private static long HostWorkspace(Device device, SearchShape s)
        => (long)QueryPanels(s) * PackedTile<float>.Rows * (s.D + 1) + (long)DatabaseBlock(s) * (s.D + 1) + device.Threads * SumsLength
            + 2L * Math.Max(s.Queries, 2 * PackedTile<float>.Rows * device.Threads) * s.K;

    private static unsafe void RunHost(Device device, in SearchShape s, ReadOnlySpan<ArrayView<float>> buffers, ArrayView<float> workspace)
    {
        if (s.Queries == 0)
            return;
        int rows = PackedTile<float>.Rows, columns = PackedTile<float>.Columns, block = DatabaseBlock(s), slices = Slices(device, s), blocks = QueryBlocks(device, s);
        long paddedQueries = (long)QueryPanels(s) * rows;
        float* queries = HostMemory.Pointer(workspace), queryNorms = queries + paddedQueries * s.D;
        float* database = queryNorms + paddedQueries, rowNorms = database + (long)block * s.D;
        float* sums = rowNorms + block;
        ulong* keys = (ulong*)(sums + device.Threads * SumsLength);
        new Span<ulong>(keys, checked(s.Queries * slices * s.K)).Fill(ulong.MaxValue);
        device.RunHost(QueryPanels(s), new PackTask(HostMemory.Pointer(buffers[0]), s.Queries, s.D, rows, queries, paddedQueries, queryNorms));
        for (int first = 0; first < s.Database; first += block)
        {
            int count = Math.Min(block, s.Database - first);
            device.RunHost((count + columns - 1) / columns, new PackTask(HostMemory.Pointer(buffers[1]) + (long)first * s.D, count, s.D, columns, database, block, rowNorms));
            device.RunHost(blocks * slices, new SearchTask(device, s, slices, first, count, queries, database, block, queryNorms, rowNorms, sums, keys));
        }
        device.RunHost(QueryPanels(s), new MergeTask(s, slices, keys, HostMemory.Pointer(buffers[2]), (int*)HostMemory.Pointer(buffers[3])));
    }

    /// <summary>
    /// A panel of rows, of each piece its part: a piece's panels stand behind each other, so that a block of them fills the cache's sets evenly. And
    /// the rows' squared norms by the very sums that a tile does for a dot product: the distance of equal rows is exactly 0.
    /// </summary>
    private readonly unsafe struct PackTask(float* from, int count, int length, int width, float* to, long padded, float* norms) : IHostTask
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int tile, int worker)
        {
            int first = tile * width, used = Math.Min(width, count - first);
            float* norm = norms + first;
            new Span<float>(norm, width).Clear();
            float* piece = stackalloc float[width];
            for (int start = 0; start < length; start += Piece)
            {
                int depth = Math.Min(Piece, length - start);
                float* panel = to + start * padded + (long)first * depth;
                PackedPanel.FromRows(from + (long)first * length + start, length, used, panel, width, depth);
                new Span<float>(piece, width).Clear();
                for (int k = 0; k < depth; k++, panel += width)
                    Square(panel, width, piece);
                for (int i = 0; i < width; i++)
                    norm[i] += piece[i];
            }
        }

        /// <summary>sums[i] += x[i]²</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Square(float* x, int width, float* sums)
        {
            int i = 0;
            if (Vector256.IsHardwareAccelerated)
                for (; i <= width - 8; i += 8)
                    Vector256.MultiplyAddEstimate(Vector256.Load(x + i), Vector256.Load(x + i), Vector256.Load(sums + i)).Store(sums + i);
            for (; i <= width - 4; i += 4)
                Vector128.MultiplyAddEstimate(Vector128.Load(x + i), Vector128.Load(x + i), Vector128.Load(sums + i)).Store(sums + i);
            for (; i < width; i++)
                sums[i] = float.MultiplyAddEstimate(x[i], x[i], sums[i]);
        }
    }

    /// <summary>One block of queries against one slice of the packed rows: a heap of keys for each query.</summary>
    private readonly unsafe struct SearchTask(
        Device device, SearchShape s, int slices, int first, int count, float* queries, float* database, int databaseBlock, float* queryNorms, float* rowNorms, float* scratch, ulong* keys) : IHostTask
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int tile, int worker)
        {
            int rows = PackedTile<float>.Rows, columns = PackedTile<float>.Columns, size = rows * columns;
            int slice = tile % slices, block = tile / slices, panels = QueryPanels(s), rowPanels = (count + columns - 1) / columns;
            int panel0 = 0;
            for (; block > 0; block--)
                panel0 += BlockPanels(device, s, panel0);
            int panelEnd = panel0 + BlockPanels(device, s, panel0);
            int from = (int)((long)rowPanels * slice / slices), end = (int)((long)rowPanels * (slice + 1) / slices);
            float* sums = scratch + worker * SumsLength;
            for (int group = from, width; group < end; group += width)
            {
                width = Math.Min(RowBlock / columns, end - group);
                for (int start = 0; start < s.D; start += Piece)
                {
                    int depth = Math.Min(Piece, s.D - start);
                    float* to = sums, left = queries + (long)start * panels * rows, right = database + (long)start * databaseBlock;
                    for (int j = group; j < group + width; j++)
                        for (int i = panel0; i < panelEnd; i++, to += size)
                            PackedTile<float>.Multiply(left + (long)i * rows * depth, right + (long)j * columns * depth, depth, to, columns, start > 0 ? TileStart.Added : TileStart.Zero);
                }
                for (int i = panel0; i < panelEnd; i++)
                    for (int q = i * rows; q < Math.Min(s.Queries, (i + 1) * rows); q++)
                        for (int j = group; j < group + width; j++)
                            Offer(
                                sums + ((long)(j - group) * (panelEnd - panel0) + i - panel0) * size + (q - i * rows) * columns, queryNorms[q], rowNorms + j * columns,
                                first + j * columns, Math.Min(columns, count - j * columns), keys + ((long)q * slices + slice) * s.K, s.K);
            }
        }

        /// <summary>Turns dot products into distances and keeps those below the heap's top, its largest key.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Offer(float* dots, float queryNorm, float* rowNorms, int row0, int rows, ulong* heap, int k)
        {
            // Lanes past the last row are rows of zeros, whose distances are never used.
            var norm = Vector256.Create(queryNorm);
            for (int i = 0; i < rows; i += 8)
            {
                var dot = Vector256.Load(dots + i);
                var distance = Vector256.Max(norm + Vector256.Load(rowNorms + i) - (dot + dot), Vector256<float>.Zero);
                // Not a number while the heap has empty places: then nothing compares as larger.
                var worst = Vector256.Create(BitConverter.UInt32BitsToSingle((uint)(heap[0] >> 32)));
                if (Vector256.GreaterThanOrEqualAll(distance, worst))
                    continue;
                distance.Store(dots + i);
                for (int j = i; j < Math.Min(rows, i + 8); j++)
                {
                    ulong key = Key(dots[j], row0 + j);
                    if (key < heap[0])
                        ReplaceTop(heap, k, key);
                }
            }
        }

        private static void ReplaceTop(ulong* heap, int k, ulong key)
        {
            int i = 0;
            for (int child = 1; child < k; child = 2 * i + 1)
            {
                if (child + 1 < k && heap[child + 1] > heap[child])
                    child++;
                if (heap[child] <= key)
                    break;
                heap[i] = heap[child];
                i = child;
            }
            heap[i] = key;
        }
    }

    /// <summary>Sorts every query's candidates of all slices.</summary>
    private readonly unsafe struct MergeTask(SearchShape s, int slices, ulong* keys, float* distance2, int* index) : IHostTask
    {
        public void Run(int tile, int worker)
        {
            int rows = PackedTile<float>.Rows;
            for (int q = tile * rows; q < Math.Min(s.Queries, (tile + 1) * rows); q++)
            {
                var found = new Span<ulong>(keys + (long)q * slices * s.K, slices * s.K);
                found.Sort();
                for (int k = 0; k < s.K; k++)
                {
                    distance2[(long)q * s.K + k] = BitConverter.UInt32BitsToSingle((uint)(found[k] >> 32));
                    index[(long)q * s.K + k] = (int)found[k];
                }
            }
        }
    }

    /// <summary>Distance above, row below. Every NaN gets the same bits, above infinity's.</summary>
    private static ulong Key(float distance, int row)
        => (ulong)(float.IsNaN(distance) ? 0x7FC00000u : distance <= 0 ? 0u : BitConverter.SingleToUInt32Bits(distance)) << 32 | (uint)row;
}
