using System.Numerics;
using System.Runtime.CompilerServices;
using ILGPU;

namespace IlgpuNetVlad.Kernels;

public static unsafe partial class LocalResponse
{
    private const int HostPixels = 64;

    private static void ForwardHost(Device device, in LocalResponseShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        => device.RunHost((s.Pixels + HostPixels - 1) / HostPixels, new HostTask(s, HostMemory.Pointer(v[0]), null, HostMemory.Pointer(v[1])));

    private static void BackwardHost(Device device, in LocalResponseShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        => device.RunHost((s.Pixels + HostPixels - 1) / HostPixels, new HostTask(s, HostMemory.Pointer(v[0]), HostMemory.Pointer(v[1]), HostMemory.Pointer(v[2])));

    /// <summary>64 pixels; each channel's window is summed afresh, so no running difference can drift. dy is null on the way forward.</summary>
    private readonly struct HostTask(LocalResponseShape s, float* x, float* dy, float* to) : IHostTask
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int tile, int worker)
        {
            int half = s.Size / 2;
            // Zeros on both sides of a row stand for what lies beyond its ends.
            float* window = stackalloc float[s.C + 2 * half], scale = stackalloc float[s.C], power = stackalloc float[s.C];
            new Span<float>(window, s.C + 2 * half).Clear();
            for (int pixel = tile * HostPixels; pixel < Math.Min((tile + 1) * HostPixels, s.Pixels); pixel++)
            {
                float* row = x + (long)pixel * s.C, result = to + (long)pixel * s.C;
                for (int c = 0; c < s.C; c++)
                    window[half + c] = row[c] * row[c];
                Sum(window, scale, half);
                for (int c = 0; c < s.C; c++)
                    scale[c] = s.K + s.AlphaOverN * scale[c];
                Power(scale, power);
                if (dy == null)
                {
                    for (int c = 0; c < s.C; c++)
                        result[c] = row[c] * power[c];
                    continue;
                }
                float* gradient = dy + (long)pixel * s.C;
                for (int c = 0; c < s.C; c++)
                    window[half + c] = gradient[c] * row[c] * power[c] / scale[c];
                Sum(window, scale, half);
                float factor = 2 * s.AlphaOverN * s.Beta;
                for (int c = 0; c < s.C; c++)
                    result[c] = gradient[c] * power[c] - factor * row[c] * scale[c];
            }
        }

        private void Sum(float* window, float* sums, int half)
        {
            int c = 0;
            for (; c <= s.C - Vector<float>.Count; c += Vector<float>.Count)
            {
                var sum = Vector.Load(window + c);
                for (int j = 1; j <= 2 * half; j++)
                    sum += Vector.Load(window + c + j);
                sum.Store(sums + c);
            }
            for (; c < s.C; c++)
            {
                sums[c] = window[c];
                for (int j = 1; j <= 2 * half; j++)
                    sums[c] += window[c + j];
            }
        }

        /// <summary>t^−β = e^(−β ln t).</summary>
        private void Power(float* scale, float* power)
        {
            int c = 0;
            for (; c <= s.C - Vector<float>.Count; c += Vector<float>.Count)
                Vector.Exp(Vector.Log(Vector.Load(scale + c)) * -s.Beta).Store(power + c);
            for (; c < s.C; c++)
                power[c] = MathF.Exp(MathF.Log(scale[c]) * -s.Beta);
        }
    }
}
