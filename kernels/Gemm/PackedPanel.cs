using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace IlgpuNetVlad.Kernels;

/// <summary>Packs a piece of a matrix into a panel [k][width], as <see cref="PackedTile{T}"/> reads it: neighbours in use are neighbours in memory. What lies beyond the matrix is 0.</summary>
internal static unsafe class PackedPanel
{
    /// <summary>to[k·width + j] = from[j·stride + k], j below <paramref name="used"/>: the matrix's rows lie along k.</summary>
    public static void FromRows<T>(T* from, long stride, int used, T* to, int width, int depth)
        where T : unmanaged
    {
        if (typeof(T) == typeof(float))
            HostTranspose.ToPanel((float*)from, stride, used, (float*)to, width, depth);
        else
            Turn(from, stride, used, to, width, depth);
    }

    /// <summary>Where steps lie a page apart, the processor's own foresight has none of them.</summary>
    private const int StepsAhead = 16;

    /// <summary>to[k·width + j] = from[k·stride + j], j below <paramref name="used"/>: a step of k is a row of the matrix.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void FromSteps<T>(T* from, long stride, int used, T* to, int width, int depth)
        where T : unmanaged
    {
        for (int k = 0; k < depth; k++, from += stride, to += width)
        {
            HostPrefetch.Near((float*)(from + StepsAhead * stride));
            Copy(from, to, used);
            if (used < width)
                new Span<T>(to + used, width - used).Clear();
        }
    }

    /// <summary>A row of a panel or a tile; where it is whole vectors, without a call.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Copy<T>(T* from, T* to, int count)
        where T : unmanaged
    {
        int bytes = count * sizeof(T);
        if (bytes % Vector256<byte>.Count != 0)
        {
            new ReadOnlySpan<T>(from, count).CopyTo(new(to, count));
            return;
        }
        for (int i = 0; i < bytes; i += Vector256<byte>.Count)
            Vector256.Load((byte*)from + i).Store((byte*)to + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Turn<T>(T* from, long stride, int used, T* to, int width, int depth)
        where T : unmanaged
    {
        // Eight steps of k are a cache line of each row.
        for (int block = 0; block < depth; block += 8)
        {
            int end = Math.Min(block + 8, depth);
            for (int j = 0; j < used; j++)
                for (int k = block; k < end; k++)
                    to[k * width + j] = from[j * stride + k];
            if (used < width)
                for (int k = block; k < end; k++)
                    new Span<T>(to + k * width + used, width - used).Clear();
        }
    }
}
