using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace IlgpuNetVlad.Kernels;

/// <summary>Bytes to numbers on the processor, for whoever has a run of pixels at hand.</summary>
internal static unsafe class HostPixels
{
    /// <summary>Bytes of a vector, and pixels whose channels fill three of them.</summary>
    private const int Bytes = 16;

    /// <param name="pixels">From a pixel's first channel on.</param>
    /// <param name="count">Numbers; any.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Convert(in PixelNumbers numbers, byte* pixels, float* to, int count)
    {
        int at = 0;
        if (count >= PixelNumbers.Channels * Bytes)
        {
            // Number i of 48 is of channel i mod 3, whatever vector it is in.
            float* means = stackalloc float[PixelNumbers.Channels * Bytes], scales = stackalloc float[PixelNumbers.Channels * Bytes];
            for (int i = 0; i < PixelNumbers.Channels * Bytes; i++)
                (means[i], scales[i]) = (numbers.Mean(i % PixelNumbers.Channels), numbers.Scale(i % PixelNumbers.Channels));
            Vector512<float> m0 = Vector512.Load(means), m1 = Vector512.Load(means + Bytes), m2 = Vector512.Load(means + 2 * Bytes);
            Vector512<float> s0 = Vector512.Load(scales), s1 = Vector512.Load(scales + Bytes), s2 = Vector512.Load(scales + 2 * Bytes);
            for (; at <= count - PixelNumbers.Channels * Bytes; at += PixelNumbers.Channels * Bytes)
            {
                ((Wide(pixels + at) - m0) * s0).Store(to + at);
                ((Wide(pixels + at + Bytes) - m1) * s1).Store(to + at + Bytes);
                ((Wide(pixels + at + 2 * Bytes) - m2) * s2).Store(to + at + 2 * Bytes);
            }
        }
        for (; at < count; at++)
            to[at] = numbers.Of(at % PixelNumbers.Channels, pixels[at]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Wide(byte* pixels)
    {
        // As with fp64: .NET 10 joins halves through memory.
        if (Avx512F.IsSupported)
            return Avx512F.ConvertToVector512Single(Avx512F.ConvertToVector512Int32(Vector128.Load(pixels)));
        var (lower, upper) = Vector128.Widen(Vector128.Load(pixels));
        var (a, b) = Vector256.Widen(Vector256.Create(lower, upper));
        return Vector512.ConvertToSingle(Vector512.Create(a, b).AsInt32());
    }
}
