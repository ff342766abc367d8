using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ILGPU;

namespace IlgpuNetVlad.Kernels;

public static unsafe partial class MaxPooling
{
    private static void ForwardHost(Device device, in PoolingShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        if (s.B > 0)
            device.RunHost(s.B * s.P, new ForwardTask(s, HostMemory.Pointer(v[0]), HostMemory.Pointer(v[1])));
    }

    private static void BackwardHost(Device device, in PoolingShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        // An image a tile: overlapping windows of two row tiles would write the same rows.
        device.RunHost(s.B, new BackwardTask(s, HostMemory.Pointer(v[0]), HostMemory.Pointer(v[1]), HostMemory.Pointer(v[2])));
    }

    /// <summary>One row of outputs; lanes are channels.</summary>
    private readonly struct ForwardTask(PoolingShape s, float* x, float* y) : IHostTask
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int tile, int worker)
        {
            int image = tile / s.P, p = tile % s.P, rows = Math.Min(s.Window, s.H - p * s.Stride);
            float* to = y + (long)tile * s.Q * s.C;
            for (int q = 0; q < s.Q; q++, to += s.C)
            {
                int columns = Math.Min(s.Window, s.W - q * s.Stride), c = 0;
                float* from = x + (((long)image * s.H + p * s.Stride) * s.W + q * s.Stride) * s.C;
                if (Vector512.IsHardwareAccelerated)
                    c = Columns<Vector512<float>, HostVector512>(from, to, rows, columns, s.W * s.C, s.C, s.Window, s.Stride);
                else if (Vector256.IsHardwareAccelerated)
                    c = Columns256(from, to, rows, columns, s.W * s.C, s.C);
                for (; c < s.C; c++)
                {
                    float best = from[c];
                    for (int i = 0; i < rows; i++)
                        for (int j = 0; j < columns; j++)
                            best = MathF.Max(best, from[i * s.W * s.C + j * s.C + c]);
                    to[c] = best;
                }
            }
        }

        // Inlined, for else it would wait for the JIT's second look, through the first images. What the window after the next one is the first to read is asked for: a window's rows are short runs of lines far apart,
        // which the processor's own foresight does not follow.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static int Columns<TVector, TOps>(float* from, float* to, int rows, int columns, int pitch, int channels, int window, int stride)
            where TVector : struct
            where TOps : struct, IHostVector<TVector>
        {
            int c = 0;
            for (; c <= channels - TOps.Count; c += TOps.Count)
            {
                for (int i = 0; i < rows; i++)
                    for (int j = 0; j < stride; j++)
                        HostPrefetch.Near(from + i * pitch + (window + stride + j) * channels + c);
                var best = TOps.Load(from + c);
                for (int i = 0; i < rows; i++)
                    for (int j = 0; j < columns; j++)
                        best = TOps.Max(best, TOps.Load(from + i * pitch + j * channels + c));
                TOps.Store(best, to + c);
            }
            return c;
        }

        /// <summary>
        /// Numbers of one sign have the order of their bits as integers, those below zero the other way round, −0 below 0: behind a ReLU the largest integer is the maximum, and says so itself,
        /// for any sign makes it larger. Else it is the largest of those with a sign as integers have it, or the least integer if there are no others; and only where there is something that is
        /// no number, IEEE's maximum of seven instructions is taken.
        /// </summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static int Columns256(float* from, float* to, int rows, int columns, int pitch, int channels)
        {
            int c = 0;
            for (; c <= channels - 8; c += 8)
            {
                var most = Vector256<uint>.Zero;
                float* line = from + c;
                for (int i = 0; i < rows; i++, line += pitch)
                    for (int j = 0; j < columns; j++)
                        most = Vector256.Max(most, Vector256.Load((uint*)line + j * channels));
                var best = most.AsSingle();
                if (most.ExtractMostSignificantBits() != 0)
                    best = MaximumWithSigns(from + c, most, rows, columns, pitch, channels);
                best.Store(to + c);
            }
            return c;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector256<float> MaximumWithSigns(float* from, Vector256<uint> most, int rows, int columns, int pitch, int channels)
        {
            var above = Vector256<int>.AllBitsSet;
            var below = Vector256<uint>.AllBitsSet;
            float* line = from;
            for (int i = 0; i < rows; i++, line += pitch)
                for (int j = 0; j < columns; j++)
                {
                    var value = Vector256.Load((uint*)line + j * channels);
                    above = Vector256.Max(above, value.AsInt32());
                    below = Vector256.Min(below, value);
                }
            if (!Vector256.GreaterThanAny(most, Vector256.Create(0xFF800000)) && !Vector256.GreaterThanAny(above, Vector256.Create(0x7F800000)))
                return Vector256.ConditionalSelect(Vector256.LessThan(above, Vector256<int>.Zero), below.AsInt32(), above).AsSingle();
            var best = Vector256.Load(from);
            for (int i = 0; i < rows; i++)
                for (int j = 0; j < columns; j++)
                    best = Vector256.Max(best, Vector256.Load(from + i * pitch + j * channels));
            return best;
        }
    }

    /// <summary>One image: its windows in order, each giving dy to its first maximum. The place is found by scalar comparisons of channels in a row.</summary>
    private readonly struct BackwardTask(PoolingShape s, float* x, float* dy, float* dx) : IHostTask
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int tile, int worker)
        {
            int size = s.H * s.W * s.C, pitch = s.W * s.C;
            float* image = x + (long)tile * size, gradient = dx + (long)tile * size, from = dy + (long)tile * s.P * s.Q * s.C;
            new Span<float>(gradient, size).Clear();
            for (int p = 0; p < s.P; p++)
                for (int q = 0; q < s.Q; q++, from += s.C)
                {
                    int rows = Math.Min(s.Window, s.H - p * s.Stride), columns = Math.Min(s.Window, s.W - q * s.Stride), c = 0;
                    long at = (long)p * s.Stride * pitch + q * s.Stride * s.C;
                    if (Vector512.IsHardwareAccelerated)
                    {
                        for (; c <= s.C - 16; c += 16)
                            Scatter512(image + at + c, gradient + at + c, Vector512.Load(from + c), rows, columns, pitch, s.C);
                    }
                    else if (Vector256.IsHardwareAccelerated)
                    {
                        for (; c <= s.C - 8; c += 8)
                            Scatter256(image + at + c, gradient + at + c, Vector256.Load(from + c), rows, columns, pitch, s.C);
                    }
                    for (; c < s.C; c++)
                    {
                        long best = at + c;
                        for (int i = 0; i < rows; i++)
                            for (int j = 0; j < columns; j++)
                            {
                                long other = at + (long)i * pitch + j * s.C + c;
                                if (image[other] > image[best] || (float.IsNaN(image[other]) && !float.IsNaN(image[best])))
                                    best = other;
                            }
                        gradient[best] += from[c];
                    }
                }
        }

        /// <summary>Adds dy where x equals the window's maximum, in the lanes that have not found it before.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Scatter512(float* x, float* dx, Vector512<float> dy, int rows, int columns, int pitch, int channels)
        {
            var best = Vector512.Load(x);
            for (int i = 0; i < rows; i++)
                for (int j = 0; j < columns; j++)
                    best = Vector512.Max(best, Vector512.Load(x + i * pitch + j * channels));
            var open = Vector512<float>.AllBitsSet;
            for (int i = 0; i < rows; i++)
                for (int j = 0; j < columns; j++)
                {
                    float* at = x + i * pitch + j * channels, to = dx + i * pitch + j * channels;
                    var value = Vector512.Load(at);
                    var here = open & (Vector512.Equals(value, best) | ~Vector512.Equals(value, value));
                    (Vector512.Load(to) + (dy & here)).Store(to);
                    open = Vector512.AndNot(open, here);
                }
        }

        /// <inheritdoc cref="Scatter512"/>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Scatter256(float* x, float* dx, Vector256<float> dy, int rows, int columns, int pitch, int channels)
        {
            var best = Vector256.Load(x);
            for (int i = 0; i < rows; i++)
                for (int j = 0; j < columns; j++)
                    best = Vector256.Max(best, Vector256.Load(x + i * pitch + j * channels));
            var open = Vector256<float>.AllBitsSet;
            for (int i = 0; i < rows; i++)
                for (int j = 0; j < columns; j++)
                {
                    float* at = x + i * pitch + j * channels, to = dx + i * pitch + j * channels;
                    var value = Vector256.Load(at);
                    var here = open & (Vector256.Equals(value, best) | ~Vector256.Equals(value, value));
                    (Vector256.Load(to) + (dy & here)).Store(to);
                    open = Vector256.AndNot(open, here);
                }
        }
    }
}
