using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ILGPU;

namespace IlgpuNetVlad.Kernels;

public static partial class Addition
{
    private const int HostTile = 16 * 1024;

    private static unsafe void RunHost(Device device, in AdditionShape s, ReadOnlySpan<ArrayView<float>> buffers, ArrayView<float> workspace)
        => device.RunHost((s.Length + HostTile - 1) / HostTile, new HostTask(s.Length, HostMemory.Pointer(buffers[0]), HostMemory.Pointer(buffers[1])));

    private readonly unsafe struct HostTask(int length, float* a, float* b) : IHostTask
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int tile, int worker)
        {
            int i = tile * HostTile, end = Math.Min(i + HostTile, length);
            for (; i <= end - 16; i += 16)
                (Vector512.Load(a + i) + Vector512.Load(b + i)).Store(a + i);
            for (; i < end; i++)
                a[i] += b[i];
        }
    }
}
