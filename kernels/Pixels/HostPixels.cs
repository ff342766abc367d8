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
            // Number i of 48 is of channel i mod 3: the second vector begins with the second channel, the third with the third.
            float a = numbers.Mean(0), b = numbers.Mean(1), c = numbers.Mean(2);
            Vector512<float> m0 = InTurn(a, b, c), m1 = InTurn(b, c, a), m2 = InTurn(c, a, b);
            (a, b, c) = (numbers.Scale(0), numbers.Scale(1), numbers.Scale(2));
            Vector512<float> s0 = InTurn(a, b, c), s1 = InTurn(b, c, a), s2 = InTurn(c, a, b);
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

    /// <summary>a, b, c, a, b, … without a loop: a run of pixels may be one row of a small image.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> InTurn(float a, float b, float c)
    {
        var second = Vector512.Create(0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0).AsSingle();
        var third = Vector512.Create(0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0).AsSingle();
        return Vector512.ConditionalSelect(second, Vector512.Create(b), Vector512.ConditionalSelect(third, Vector512.Create(c), Vector512.Create(a)));
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
