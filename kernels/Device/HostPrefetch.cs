using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace IlgpuNetVlad.Kernels;

/// <summary>Hints that memory will soon be used; where the processor has none they are nothing. Any address may be named.</summary>
internal static unsafe class HostPrefetch
{
    /// <summary>Floats of a cache line.</summary>
    public const int Line = 16;

    /// <summary>The line of <paramref name="address"/> into the first-level cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Near(float* address)
    {
        if (Sse.IsSupported)
            Sse.Prefetch0(address);
    }

    /// <summary>The line of <paramref name="address"/> into the second-level cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Far(float* address)
    {
        if (Sse.IsSupported)
            Sse.Prefetch1(address);
    }

    /// <summary>All lines of a run of floats into the first-level cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Near(float* start, long length)
    {
        for (long i = 0; i < length; i += Line)
            Near(start + i);
    }

    /// <summary>All lines of a run of floats into the second-level cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Far(float* start, long length)
    {
        for (long i = 0; i < length; i += Line)
            Far(start + i);
    }
}
