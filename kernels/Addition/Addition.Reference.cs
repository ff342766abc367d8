using System.Numerics;
using ILGPU;

namespace IlgpuNetVlad.Kernels;

public static partial class Addition
{
    private static void RunReference(Device device, in AdditionShape s, ReadOnlySpan<ArrayView<float>> buffers, ArrayView<float> workspace)
        => Reference<float>(s, HostMemory.Span(buffers[0]), HostMemory.Span(buffers[1]));

    /// <summary>The contract in a plain loop.</summary>
    internal static void Reference<T>(in AdditionShape s, Span<T> a, ReadOnlySpan<T> b)
        where T : unmanaged, INumber<T>
    {
        for (int i = 0; i < s.Length; i++)
            a[i] += b[i];
    }
}
