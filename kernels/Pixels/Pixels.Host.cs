using System.Runtime.CompilerServices;
using ILGPU;

namespace IlgpuNetVlad.Kernels;

public static partial class Pixels
{
    private static unsafe void RunHost(Device device, in PixelsShape s, ReadOnlySpan<ArrayView<float>> buffers, ArrayView<float> workspace)
        => device.RunHost(s.B * s.H, new HostTask(s, (byte*)HostMemory.Pointer(buffers[0]), HostMemory.Pointer(buffers[1])));

    /// <summary>One row of an image a tile.</summary>
    private readonly unsafe struct HostTask(PixelsShape s, byte* pixels, float* x) : IHostTask
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int tile, int worker)
        {
            int row = s.W * PixelNumbers.Channels;
            long image = tile / s.H, at = (long)(tile % s.H) * row;
            HostPixels.Convert(s.Numbers, pixels + image * s.Floats * sizeof(float) + at, x + image * s.Length + at, row);
        }
    }
}
