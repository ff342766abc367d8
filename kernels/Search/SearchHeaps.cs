using System.Numerics;
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
    /// <param name="dots">[queries][columns], of the rows from <paramref name="row0"/> on.</param>
    /// <param name="columns">Whole vectors: of 16 with AVX-512, else of 8.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Offer(int query0, int queries, int thread, float* dots, int columns, float* queryNorms, float* rowNorms, int row0, int rows)
    {
        int lanes = Vector512.IsHardwareAccelerated ? 16 : 8;
        ulong* heap = keys + ((long)query0 * threads + thread) * k;
        for (int q = 0; q < queries; q++, dots += columns, heap += (long)threads * k)
        {
            float norm = queryNorms[q];
            for (int i = 0; i < rows; i += lanes)
            {
                // Not a number while the heap has empty places: then nothing compares as larger. Of equal distances the row decides.
                float worst = Distance(heap[0]);
                uint near = Vector512.IsHardwareAccelerated ? Near512(dots + i, rowNorms + i, norm, worst) : Near256(dots + i, rowNorms + i, norm, worst);
                // Lanes past the last row are rows of zeros, whose distances are never used.
                if (rows - i < lanes)
                    near &= (1u << (rows - i)) - 1;
                for (; near != 0; near &= near - 1)
                {
                    int j = i + BitOperations.TrailingZeroCount(near);
                    ulong key = Key(norm + rowNorms[j] - (dots[j] + dots[j]), row0 + j);
                    if (key < heap[0])
                        ReplaceTop(heap, key);
                }
            }
        }
    }

    /// <summary>A bit for each of 16 rows whose distance is not above the worst.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Near512(float* dots, float* rowNorms, float norm, float worst)
    {
        var dot = Vector512.Load(dots);
        return (uint)(~Vector512.GreaterThan(Vector512.Create(norm) + Vector512.Load(rowNorms) - (dot + dot), Vector512.Create(worst))).ExtractMostSignificantBits();
    }

    /// <summary>The same of 8.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Near256(float* dots, float* rowNorms, float norm, float worst)
    {
        var dot = Vector256.Load(dots);
        return (~Vector256.GreaterThan(Vector256.Create(norm) + Vector256.Load(rowNorms) - (dot + dot), Vector256.Create(worst))).ExtractMostSignificantBits();
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
