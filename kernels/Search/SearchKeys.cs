using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>Distances and rows as 64-bit keys in shared memory, for a group of <see cref="Group"/> threads: integer order is order by distance, then row.</summary>
internal static class SearchKeys
{
    public const int Group = 64;

    /// <summary>Behind all others.</summary>
    public const long Empty = long.MaxValue;

    /// <summary>As on the host; the sum of squares is never negative.</summary>
    public static long Of(float distance, int row)
        => ((long)(float.IsNaN(distance) ? 0x7FC00000u : Interop.FloatAsInt(distance)) << 32) | (uint)row;

    /// <summary>Keys that the best of a query take: a power of two times 64.</summary>
    public static int Half(int k)
    {
        int half = Group;
        while (half < k)
            half *= 2;
        return half;
    }

    /// <summary>The best so far, ascending: from the results of the launch before, or none.</summary>
    public static void Load(ArrayView<long> keys, int half, ArrayView<float> distance2, ArrayView<int> index, long results, int k, int first)
    {
        for (int i = ILGPU.Group.IdxX; i < half; i += Group)
        {
            long best = Empty;
            if (first == 0 && i < k)
                best = Of(distance2[results + i], index[results + i]);
            keys[i] = best;
        }
    }

    /// <summary>Back to the results.</summary>
    public static void Store(ArrayView<long> keys, ArrayView<float> distance2, ArrayView<int> index, long results, int k)
    {
        for (int i = ILGPU.Group.IdxX; i < k; i += Group)
        {
            distance2[results + i] = Interop.IntAsFloat((uint)(keys[i] >> 32));
            index[results + i] = (int)keys[i];
        }
    }

    /// <summary>
    /// Brings the least of all 2·half keys into the lower half, ascending, which held such before: the upper half is sorted the other way, which makes the whole bitonic, and both are merged.
    /// </summary>
    public static void Merge(ArrayView<long> keys, int half)
    {
        ILGPU.Group.Barrier();
        // Only the last step, of size 2·half, compares the two halves; the smaller ones sort the upper half alone.
        for (int size = 2; size <= 2 * half; size *= 2)
            for (int stride = size / 2; stride > 0; stride /= 2)
            {
                int first = size <= half ? half / 2 : 0;
                for (int i = first + ILGPU.Group.IdxX; i < half; i += Group)
                {
                    int low = 2 * i - (i & (stride - 1)), high = low + stride;
                    // Ascending in the blocks with an even number, but the upper half as a whole descending.
                    bool ascending = size > half || ((low & size) == 0 && size < half);
                    long x = keys[low], y = keys[high];
                    if (x > y == ascending)
                    {
                        keys[low] = y;
                        keys[high] = x;
                    }
                }
                ILGPU.Group.Barrier();
            }
    }
}
