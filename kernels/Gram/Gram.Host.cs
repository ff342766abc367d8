using System.Runtime.CompilerServices;
using ILGPU;

namespace IlgpuNetVlad.Kernels;

public static unsafe partial class Gram
{
    /// <summary>Rows and columns that are mirrored together.</summary>
    private const int Block = 64;

    private static long HostWorkspace(Device device, GramShape s) => PackedProduct<float>.PackedLength(s.N, s.N, s.K);

    private static void RunHost(Device device, in GramShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        float* c = HostMemory.Pointer(v[1]);
        var x = new ProductOperand<float>(HostMemory.Pointer(v[0]), s.Transpose != 0 ? s.N : s.K, s.Transpose == 0);
        new PackedProduct<float>(s.N, s.N, s.K, x, x, c, s.N, TileStart.Zero, TileStart.Added, upper: true, HostMemory.Pointer(workspace)).Run(device);
        device.RunHost((s.N + Block - 1) / Block, new MirrorTask(c, s.N));
    }

    /// <summary>Some rows of the lower triangle from the columns of the upper one.</summary>
    private readonly struct MirrorTask(float* c, int n) : IHostTask
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int tile, int worker)
        {
            int first = tile * Block, end = Math.Min(n, first + Block);
            for (int block = 0; block <= first; block += Block)
                for (int i = first; i < end; i++)
                    for (int j = block; j < Math.Min(block + Block, i); j++)
                        c[(long)i * n + j] = c[(long)j * n + i];
        }
    }
}
