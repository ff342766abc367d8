using System.Numerics;
using System.Runtime.CompilerServices;
using ILGPU;

namespace IlgpuNetVlad.Kernels;

public static unsafe partial class GlobalPooling
{
    private static void ForwardHost(Device device, in GlobalPoolingShape s, bool max, ReadOnlySpan<ArrayView<float>> v)
        => device.RunHost(s.B, new ForwardTask(s, max, HostMemory.Pointer(v[0]), HostMemory.Pointer(v[1])));

    private static void MaxBackwardHost(Device device, in GlobalPoolingShape s, ReadOnlySpan<ArrayView<float>> v)
        => device.RunHost(s.B, new BackwardTask(s, HostMemory.Pointer(v[0]), HostMemory.Pointer(v[1]), HostMemory.Pointer(v[2])));

    private static void AverageBackwardHost(Device device, in GlobalPoolingShape s, ReadOnlySpan<ArrayView<float>> v)
        => device.RunHost(s.B, new BackwardTask(s, null, HostMemory.Pointer(v[0]), HostMemory.Pointer(v[1])));

    /// <summary>An image a tile; lanes are channels, pixels in order.</summary>
    private readonly struct ForwardTask(GlobalPoolingShape s, bool max, float* x, float* y) : IHostTask
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int tile, int worker)
        {
            float* from = x + (long)tile * s.N * s.C, to = y + (long)tile * s.C;
            int c = 0;
            for (; c <= s.C - Vector<float>.Count; c += Vector<float>.Count)
            {
                var result = Vector.Load(from + c);
                for (int n = 1; n < s.N; n++)
                {
                    var next = Vector.Load(from + (long)n * s.C + c);
                    result = max ? Vector.Max(result, next) : result + next;
                }
                (max ? result : result * (1f / s.N)).Store(to + c);
            }
            for (; c < s.C; c++)
            {
                float result = from[c];
                for (int n = 1; n < s.N; n++)
                    result = max ? MathF.Max(result, from[(long)n * s.C + c]) : result + from[(long)n * s.C + c];
                to[c] = max ? result : result * (1f / s.N);
            }
        }
    }

    /// <summary>An image a tile; x is null for the mean.</summary>
    private readonly struct BackwardTask(GlobalPoolingShape s, float* x, float* dy, float* dx) : IHostTask
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int tile, int worker)
        {
            float* gradient = dy + (long)tile * s.C, to = dx + (long)tile * s.N * s.C;
            if (x == null)
            {
                HostRows.Scale(1f / s.N, gradient, to, s.C);
                for (int n = 1; n < s.N; n++)
                    new ReadOnlySpan<float>(to, s.C).CopyTo(new Span<float>(to + (long)n * s.C, s.C));
                return;
            }
            float* from = x + (long)tile * s.N * s.C;
            new Span<float>(to, s.N * s.C).Clear();
            for (int c = 0; c < s.C; c++)
            {
                long best = c;
                for (long at = c + s.C; at < (long)s.N * s.C; at += s.C)
                    if (from[at] > from[best] || (float.IsNaN(from[at]) && !float.IsNaN(from[best])))
                        best = at;
                to[best] = gradient[c];
            }
        }
    }
}
