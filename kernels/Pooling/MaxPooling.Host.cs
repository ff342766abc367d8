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
        float* x = HostMemory.Pointer(v[0]), dy = HostMemory.Pointer(v[1]), dx = HostMemory.Pointer(v[2]);
        // An image a tile where two rows of windows write the same rows.
        if (s.Window > s.Stride)
            device.RunHost(s.B, new BackwardTask(s, x, dy, dx));
        else if (s.B > 0)
            device.RunHost(s.B * ApartTask.Tiles(s), new ApartTask(s, x, dy, dx));
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
                int columns = Math.Min(s.Window, s.W - q * s.Stride);
                float* from = x + (((long)image * s.H + p * s.Stride) * s.W + q * s.Stride) * s.C;
                if (Vector512.IsHardwareAccelerated && s.C >= 16)
                    Columns<Vector512<float>, HostVector512>(from, to, rows, columns, s.W * s.C, s.C, s.Window, s.Stride);
                else if (Vector256.IsHardwareAccelerated && s.C >= 8)
                    Columns256(from, to, rows, columns, s.W * s.C, s.C);
                else
                    for (int c = 0; c < s.C; c++)
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
        private static void Columns<TVector, TOps>(float* from, float* to, int rows, int columns, int pitch, int channels, int window, int stride)
            where TVector : struct
            where TOps : struct, IHostVector<TVector>
        {
            for (int at = 0; at < channels; at += TOps.Count)
            {
                // The last vector begins earlier and takes some channels again.
                int c = Math.Min(at, channels - TOps.Count);
                for (int i = 0; i < rows; i++)
                    for (int j = 0; j < stride; j++)
                        HostPrefetch.Near(from + i * pitch + (window + stride + j) * channels + c);
                var best = TOps.Load(from + c);
                for (int i = 0; i < rows; i++)
                    for (int j = 0; j < columns; j++)
                        best = TOps.Max(best, TOps.Load(from + i * pitch + j * channels + c));
                TOps.Store(best, to + c);
            }
        }

        /// <summary>
        /// Numbers of one sign have the order of their bits as integers, those below zero the other way round, −0 below 0: behind a ReLU the largest integer is the maximum, and says so itself,
        /// for any sign makes it larger. Else it is the largest of those with a sign as integers have it, or the least integer if there are no others; and only where there is something that is
        /// no number, IEEE's maximum of seven instructions is taken.
        /// </summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Columns256(float* from, float* to, int rows, int columns, int pitch, int channels)
        {
            for (int at = 0; at < channels; at += 8)
            {
                int c = Math.Min(at, channels - 8);
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

    /// <summary>One image: its windows in order, each giving dy to its first maximum.</summary>
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
                        Add<Vector512<float>, HostVector512>(image + at, gradient + at, from, rows, columns, pitch, s.C, ref c);
                    if (Vector256.IsHardwareAccelerated)
                        Add<Vector256<float>, HostVector256>(image + at, gradient + at, from, rows, columns, pitch, s.C, ref c);
                    Add<Vector128<float>, HostVector128>(image + at, gradient + at, from, rows, columns, pitch, s.C, ref c);
                    Add<float, HostScalar>(image + at, gradient + at, from, rows, columns, pitch, s.C, ref c);
                }
        }

        /// <summary>The window's channels from <paramref name="c"/> on, as far as they fill vectors.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Add<TVector, TOps>(float* x, float* dx, float* dy, int rows, int columns, int pitch, int channels, ref int c)
            where TVector : struct
            where TOps : struct, IHostVector<TVector>
        {
            for (; c <= channels - TOps.Count; c += TOps.Count)
            {
                var maximum = Maximum<TVector, TOps>(x + c, rows, columns, pitch, channels);
                TVector open = TOps.Open, value = TOps.Load(dy + c);
                for (int i = 0; i < rows; i++)
                    for (int j = 0; j < columns; j++)
                    {
                        int at = i * pitch + j * channels + c;
                        TOps.Store(TOps.Add(TOps.Load(dx + at), TOps.Give(value, TOps.Load(x + at), maximum, ref open)), dx + at);
                    }
            }
        }
    }

    /// <summary>Rows of windows that share no pixels, and the pixels beside and below them that no window reads: dx is written once and never read.</summary>
    private readonly struct ApartTask(PoolingShape s, float* x, float* dy, float* dx) : IHostTask
    {
        /// <summary>Numbers of x that a tile has, about: enough that finding it counts for nothing.</summary>
        private const int TileFloats = 1 << 15;

        private static int Rows(in PoolingShape s) => (int)Math.Clamp(TileFloats / ((long)s.Stride * s.W * s.C), 1, s.P);

        /// <summary>Of an image.</summary>
        public static int Tiles(in PoolingShape s) => (s.P + Rows(s) - 1) / Rows(s);

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int tile, int worker)
        {
            int image = tile / Tiles(s), p = tile % Tiles(s) * Rows(s);
            for (int end = Math.Min(p + Rows(s), s.P); p < end; p++)
                RunRow(image, p);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void RunRow(int index, int p)
        {
            int pitch = s.W * s.C, top = p * s.Stride, bottom = p == s.P - 1 ? s.H : top + s.Stride, rows = Math.Min(s.Window, s.H - top);
            long first = ((long)index * s.H + top) * pitch;
            float* from = dy + ((long)index * s.P + p) * s.Q * s.C, image = x + first, gradient = dx + first;
            for (int q = 0; q < s.Q; q++, from += s.C, image += s.Stride * s.C, gradient += s.Stride * s.C)
            {
                int columns = Math.Min(s.Window, s.W - q * s.Stride), c = 0;
                if (Vector512.IsHardwareAccelerated)
                    Put<Vector512<float>, HostVector512>(image, gradient, from, rows, columns, pitch, s.C, ref c);
                if (Vector256.IsHardwareAccelerated)
                    Put<Vector256<float>, HostVector256>(image, gradient, from, rows, columns, pitch, s.C, ref c);
                Put<Vector128<float>, HostVector128>(image, gradient, from, rows, columns, pitch, s.C, ref c);
                Put<float, HostScalar>(image, gradient, from, rows, columns, pitch, s.C, ref c);
                // A stride beyond the window leaves pixels between.
                int between = Math.Min(s.Stride, s.W - q * s.Stride) - columns;
                for (int i = 0; i < rows && between > 0; i++)
                    new Span<float>(gradient + (long)i * pitch + columns * s.C, between * s.C).Clear();
            }
            int beside = s.W - Math.Min(s.W, s.Q * s.Stride);
            for (int i = 0; i < rows && beside > 0; i++)
                new Span<float>(dx + first + (long)i * pitch + (pitch - beside * s.C), beside * s.C).Clear();
            new Span<float>(dx + first + (long)rows * pitch, (bottom - top - rows) * pitch).Clear();
        }

        /// <inheritdoc cref="BackwardTask.Add"/>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Put<TVector, TOps>(float* x, float* dx, float* dy, int rows, int columns, int pitch, int channels, ref int c)
            where TVector : struct
            where TOps : struct, IHostVector<TVector>
        {
            for (; c <= channels - TOps.Count; c += TOps.Count)
            {
                float* from = x + c, to = dx + c;
                TVector open = TOps.Open, value = TOps.Load(dy + c);
                if (rows == 2 && columns == 2)
                {
                    TVector x0 = TOps.Load(from), x1 = TOps.Load(from + channels), x2 = TOps.Load(from + pitch), x3 = TOps.Load(from + pitch + channels);
                    var largest = TOps.Max(TOps.Max(x0, x1), TOps.Max(x2, x3));
                    // A sum with 0, as where windows overlap: of −0 it makes 0.
                    TOps.Store(TOps.Add(TOps.Give(value, x0, largest, ref open), default), to);
                    TOps.Store(TOps.Add(TOps.Give(value, x1, largest, ref open), default), to + channels);
                    TOps.Store(TOps.Add(TOps.Give(value, x2, largest, ref open), default), to + pitch);
                    TOps.Store(TOps.Add(TOps.Give(value, x3, largest, ref open), default), to + pitch + channels);
                    continue;
                }
                var maximum = Maximum<TVector, TOps>(from, rows, columns, pitch, channels);
                for (int i = 0; i < rows; i++)
                    for (int j = 0; j < columns; j++)
                    {
                        int at = i * pitch + j * channels;
                        TOps.Store(TOps.Add(TOps.Give(value, TOps.Load(from + at), maximum, ref open), default), to + at);
                    }
            }
        }
    }

    /// <summary>Of a window, a vector of channels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Maximum<TVector, TOps>(float* x, int rows, int columns, int pitch, int channels)
        where TVector : struct
        where TOps : struct, IHostVector<TVector>
    {
        var maximum = TOps.Load(x);
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++)
                maximum = TOps.Max(maximum, TOps.Load(x + i * pitch + j * channels));
        return maximum;
    }
}
