using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ILGPU;

namespace IlgpuNetVlad.Kernels;

public static partial class NearestNeighbours
{
    // A block of 64 queries by a chunk of 1024 numbers stays in the second-level cache (256 KB) while 192 database rows pass by.
    private const int QueryBlock = 64, RowBlock = 192, NormRows = 64;

    // Few queries: the database is cut into slices, so that all cores have work. By the shape alone, never by the number of threads.
    private const int WantedTiles = 32, SliceRows = 2048;

    private static int QueryBlocks(in SearchShape s) => (s.Queries + QueryBlock - 1) / QueryBlock;

    private static int Slices(in SearchShape s) => s.Queries == 0 ? 1 : Math.Clamp(WantedTiles / QueryBlocks(s), 1, Math.Max(1, s.Database / SliceRows));

    private static long HostWorkspace(Device device, SearchShape s)
        => s.Queries + s.Database + (long)device.Threads * QueryBlock * RowBlock + 2L * s.Queries * Slices(s) * s.K;

    private static unsafe void RunHost(Device device, in SearchShape s, ReadOnlySpan<ArrayView<float>> buffers, ArrayView<float> workspace)
    {
        if (s.Queries == 0)
            return;
        float* queries = HostMemory.Pointer(buffers[0]), database = HostMemory.Pointer(buffers[1]);
        float* queryNorms = HostMemory.Pointer(workspace), rowNorms = queryNorms + s.Queries, scratch = rowNorms + s.Database;
        ulong* keys = (ulong*)(scratch + (long)device.Threads * QueryBlock * RowBlock);
        device.RunHost((s.Queries + NormRows - 1) / NormRows, new NormTask(queries, queryNorms, s.Queries, s.D));
        device.RunHost((s.Database + NormRows - 1) / NormRows, new NormTask(database, rowNorms, s.Database, s.D));
        int slices = Slices(s);
        device.RunHost(QueryBlocks(s) * slices, new SearchTask(s, slices, queries, database, queryNorms, rowNorms, scratch, keys));
        device.RunHost(QueryBlocks(s), new MergeTask(s, slices, keys, HostMemory.Pointer(buffers[2]), (int*)HostMemory.Pointer(buffers[3])));
    }

    /// <summary>Squared norms by the very sums that a tile does for a dot product: the distance of equal rows is exactly 0.</summary>
    private readonly unsafe struct NormTask(float* rows, float* norms, int count, int length) : IHostTask
    {
        public void Run(int tile, int worker)
        {
            for (int i = tile * NormRows; i < Math.Min(count, (tile + 1) * NormRows); i++)
                norms[i] = HostDots.SquaredNorm(rows + (long)i * length, length);
        }
    }

    /// <summary>One block of queries against one slice of the database: a heap of keys for each query.</summary>
    private readonly unsafe struct SearchTask(SearchShape s, int slices, float* queries, float* database, float* queryNorms, float* rowNorms, float* scratch, ulong* keys) : IHostTask
    {
        public void Run(int tile, int worker)
        {
            int slice = tile % slices, query0 = tile / slices * QueryBlock, count = Math.Min(QueryBlock, s.Queries - query0);
            int first = (int)((long)s.Database * slice / slices), end = (int)((long)s.Database * (slice + 1) / slices);
            float* block = scratch + (long)worker * QueryBlock * RowBlock;
            for (int q = 0; q < count; q++)
                new Span<ulong>(Heap(query0 + q, slice), s.K).Fill(ulong.MaxValue);
            for (int row0 = first; row0 < end; row0 += RowBlock)
            {
                int rows = Math.Min(RowBlock, end - row0);
                HostDots.Block(queries + (long)query0 * s.D, count, database + (long)row0 * s.D, rows, s.D, block, RowBlock);
                for (int q = 0; q < count; q++)
                    Offer(block + q * RowBlock, queryNorms[query0 + q], rowNorms + row0, row0, rows, Heap(query0 + q, slice), s.K);
            }
        }

        private ulong* Heap(int query, int slice) => keys + ((long)query * slices + slice) * s.K;

        /// <summary>Turns dot products into distances and keeps those below the heap's top, its largest key.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Offer(float* dots, float queryNorm, float* rowNorms, int row0, int rows, ulong* heap, int k)
        {
            // The lanes past the last row read the end of the block, never used; rowNorms is followed by scratch.
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
            for (int q = tile * QueryBlock; q < Math.Min(s.Queries, (tile + 1) * QueryBlock); q++)
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
