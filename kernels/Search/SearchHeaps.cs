using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// The queries' nearest rows so far on the host: for each query and thread a heap of <paramref name="k"/> 64-bit keys, the largest at the top. A key has the distance above and the row below:
/// there are no two alike, and the least of all heaps together do not depend on which thread found them.
/// </summary>
/// <param name="keys">[queries][threads][k]</param>
internal readonly unsafe struct SearchHeaps(ulong* keys, int threads, int k)
{
    private const ulong Empty = ulong.MaxValue;

    private Span<ulong> OfQuery(int query) => new(keys + (long)query * threads * k, checked(threads * k));

    public void Clear(int query) => OfQuery(query).Fill(Empty);

    /// <summary>Turns a tile's dot products into distances and keeps those below the top of the thread's heap.</summary>
    /// <param name="query0">The first of so many <paramref name="queries"/>.</param>
    /// <param name="dots">[queries][columns], of the rows from <paramref name="row0"/> on, in whole vectors of 8; overwritten.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Offer(int query0, int queries, int thread, float* dots, int columns, float* queryNorms, float* rowNorms, int row0, int rows)
    {
        ulong* heap = keys + ((long)query0 * threads + thread) * k;
        for (int q = 0; q < queries; q++, dots += columns, heap += (long)threads * k)
        {
            var norm = Vector256.Create(queryNorms[q]);
            // Not a number while the heap has empty places: then nothing compares as larger. Of equal distances the row decides.
            var worst = Vector256.Create(Distance(heap[0]));
            // Lanes past the last row are rows of zeros, whose distances are never used.
            for (int i = 0; i < rows; i += 8)
            {
                var dot = Vector256.Load(dots + i);
                var distance = norm + Vector256.Load(rowNorms + i) - (dot + dot);
                if (Vector256.GreaterThanAll(distance, worst))
                    continue;
                distance.Store(dots + i);
                for (int j = i; j < Math.Min(rows, i + 8); j++)
                {
                    ulong key = Key(dots[j], row0 + j);
                    if (key < heap[0])
                        ReplaceTop(heap, key);
                }
                worst = Vector256.Create(Distance(heap[0]));
            }
        }
    }

    /// <summary>The k nearest of a query; the heaps are no longer such.</summary>
    /// <param name="distance2">[queries][k]</param>
    /// <param name="index">[queries][k]</param>
    public void Sort(int query, float* distance2, int* index)
    {
        var all = OfQuery(query);
        int count = 0;
        foreach (ulong key in all)
            if (key != Empty)
                all[count++] = key;
        all[..count].Sort();
        for (int i = 0; i < k; i++)
        {
            distance2[(long)query * k + i] = Distance(all[i]);
            index[(long)query * k + i] = (int)all[i];
        }
    }

    private void ReplaceTop(ulong* heap, ulong key)
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

    private static float Distance(ulong key) => BitConverter.UInt32BitsToSingle((uint)(key >> 32));

    /// <summary>Distance above, row below. What rounding took below 0 is 0; every NaN gets the same bits, above infinity's.</summary>
    private static ulong Key(float distance, int row)
        => (ulong)(float.IsNaN(distance) ? 0x7FC00000u : distance <= 0 ? 0u : BitConverter.SingleToUInt32Bits(distance)) << 32 | (uint)row;
}
