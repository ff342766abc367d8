using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace IlgpuNetVlad.Kernels;

/// <summary>Gradients with ReLU's mask on the host.</summary>
internal static unsafe class HostMask
{
    /// <summary>The numbers of dy from <paramref name="at"/> on, masked by those of y there where there is a y.</summary>
    public static void Copy(float* dy, float* y, long at, float* to, int count)
    {
        if (y == null)
            new ReadOnlySpan<float>(dy + at, count).CopyTo(new Span<float>(to, count));
        else
            Apply(dy + at, y + at, to, count);
    }

    /// <summary>The same of so many pixels, of each the first <paramref name="channels"/> numbers, <paramref name="pitch"/> apart in dy and y and one behind the other in <paramref name="to"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void CopyPixels(float* dy, float* y, long at, int pitch, float* to, int channels, int pixels)
    {
        if (channels % 8 != 0 || !Vector256.IsHardwareAccelerated)
        {
            for (int pixel = 0; pixel < pixels; pixel++, at += pitch, to += channels)
                Copy(dy, y, at, to, channels);
            return;
        }
        // A call for each pixel would take longer than the copy.
        dy += at;
        y = y == null ? null : y + at;
        for (int pixel = 0; pixel < pixels; pixel++, dy += pitch, to += channels)
        {
            for (int i = 0; i < channels; i += 8)
            {
                var numbers = Vector256.Load(dy + i);
                (y == null ? numbers : Vector256.AndNot(numbers, Vector256.LessThanOrEqual(Vector256.Load(y + i), default))).Store(to + i);
            }
            y = y == null ? null : y + pitch;
        }
    }

    /// <summary>to[i] = dy[i] where not y[i] ≤ 0, else 0: NaN in y lets the gradient pass, as in PyTorch.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Apply(float* dy, float* y, float* to, int count)
    {
        int i = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            for (; i <= count - 16; i += 16)
                Vector512.AndNot(Vector512.Load(dy + i), Vector512.LessThanOrEqual(Vector512.Load(y + i), default)).Store(to + i);
        }
        if (Vector256.IsHardwareAccelerated)
        {
            for (; i <= count - 8; i += 8)
                Vector256.AndNot(Vector256.Load(dy + i), Vector256.LessThanOrEqual(Vector256.Load(y + i), default)).Store(to + i);
        }
        if (Vector128.IsHardwareAccelerated)
        {
            for (; i <= count - 4; i += 4)
                Vector128.AndNot(Vector128.Load(dy + i), Vector128.LessThanOrEqual(Vector128.Load(y + i), default)).Store(to + i);
        }
        for (; i < count; i++)
            to[i] = y[i] <= 0 ? 0 : dy[i];
    }
}
