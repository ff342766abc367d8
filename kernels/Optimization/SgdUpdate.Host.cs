using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ILGPU;

namespace IlgpuNetVlad.Kernels;

public static partial class SgdUpdate
{
    private const int HostTile = 16 * 1024;

    private static unsafe void RunHost(Device device, in SgdShape s, ReadOnlySpan<ArrayView<float>> buffers, ArrayView<float> workspace)
    {
        float scale = *HostMemory.Pointer(buffers[3]);
        if (scale > 0)
            device.RunHost((s.Length + HostTile - 1) / HostTile, new HostTask(s, scale, HostMemory.Pointer(buffers[0]), HostMemory.Pointer(buffers[1]), HostMemory.Pointer(buffers[2])));
    }

    private readonly unsafe struct HostTask(SgdShape s, float gradientScale, float* p, float* g, float* v) : IHostTask
    {
        // Vector512 is emulated by two or four narrower vectors where there is no AVX-512: nothing to be won by bodies of their own
        // in a loop that memory bounds. No fused multiply-add, so that every width and the scalar tail round alike.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int tile, int worker)
        {
            int i = tile * HostTile, end = Math.Min(i + HostTile, s.Length);
            var momentum = Vector512.Create(s.Momentum);
            var scale = Vector512.Create(gradientScale);
            var decay = Vector512.Create(s.WeightDecay);
            var rate = Vector512.Create(s.LearningRate);
            for (; i <= end - 16; i += 16)
            {
                var weights = Vector512.Load(p + i);
                var next = momentum * Vector512.Load(v + i) + scale * Vector512.Load(g + i) + decay * weights;
                next.Store(v + i);
                (weights - rate * next).Store(p + i);
            }
            for (; i < end; i++)
            {
                float next = s.Momentum * v[i] + gradientScale * g[i] + s.WeightDecay * p[i];
                v[i] = next;
                p[i] -= s.LearningRate * next;
            }
        }
    }
}
