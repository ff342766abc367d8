using System.Runtime.CompilerServices;
using ILGPU;

namespace IlgpuNetVlad.Kernels;

public static unsafe partial class L2Normalization
{
    private const int HostRowsPerTile = 16;

    private static void ForwardHost(Device device, in RowsShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        => device.RunHost((s.Rows + HostRowsPerTile - 1) / HostRowsPerTile, new ForwardTask(s, HostMemory.Pointer(v[0]), HostMemory.Pointer(v[1])));

    private static void BackwardHost(Device device, in RowsShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        => device.RunHost((s.Rows + HostRowsPerTile - 1) / HostRowsPerTile,
            new BackwardTask(s, HostMemory.Pointer(v[0]), HostMemory.Pointer(v[1]), HostMemory.Pointer(v[2]), HostMemory.Pointer(v[3])));

    private readonly struct ForwardTask(RowsShape s, float* x, float* y) : IHostTask
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int tile, int worker)
        {
            for (int row = tile * HostRowsPerTile; row < Math.Min((tile + 1) * HostRowsPerTile, s.Rows); row++)
            {
                float* from = x + (long)row * s.D;
                HostRows.Scale(HostRows.InverseNorm(HostRows.Dot(from, from, s.D), s.SoftFloor != 0, out _), from, y + (long)row * s.D, s.D);
            }
        }
    }

    private readonly struct BackwardTask(RowsShape s, float* x, float* y, float* dy, float* dx) : IHostTask
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int tile, int worker)
        {
            for (int row = tile * HostRowsPerTile; row < Math.Min((tile + 1) * HostRowsPerTile, s.Rows); row++)
            {
                long at = (long)row * s.D;
                float inverse = HostRows.InverseNorm(HostRows.Dot(x + at, x + at, s.D), s.SoftFloor != 0, out bool clamped);
                HostRows.Project(dy + at, HostRows.Dot(y + at, dy + at, s.D), y + at, clamped ? 0 : inverse, dx + at, s.D);
            }
        }
    }
}
