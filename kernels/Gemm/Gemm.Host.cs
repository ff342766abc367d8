using System.Runtime.CompilerServices;
using ILGPU;

namespace IlgpuNetVlad.Kernels;

public static unsafe partial class Gemm
{
    /// <summary>Rows of C in a tile: they share each packed block of b from the L2 cache.</summary>
    private const int HostRowsPerTile = 96;

    /// <summary>Steps of k in one go: 64 columns of b take 256 KB, 6 rows of a 24 KB.</summary>
    private const int HostDepth = 1024;

    private static long WorkerScratch(in GemmShape s)
        => HostRowsPerTile * (long)HostPanels.MaxWidth + (s.TransposeA != 0 ? (long)HostRowsPerTile * Math.Min(s.K, HostDepth) : 0);

    private static long HostWorkspace(Device device, GemmShape s) => (long)s.K * HostPanels.Padded(s.N) + device.Threads * WorkerScratch(s);

    private static void RunHost(Device device, in GemmShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        if (s.M == 0)
            return;
        float* packed = HostMemory.Pointer(workspace);
        device.RunHost((s.N + HostPanels.MaxWidth - 1) / HostPanels.MaxWidth, new PackTask(s, HostMemory.Pointer(v[1]), packed));
        device.RunHost((s.M + HostRowsPerTile - 1) / HostRowsPerTile,
            new MultiplyTask(s, HostMemory.Pointer(v[0]), packed, HostMemory.Pointer(v[2]), packed + (long)s.K * HostPanels.Padded(s.N)));
    }

    /// <summary>64 columns of op(b) as panels [k][width], padded columns zero.</summary>
    private readonly struct PackTask(GemmShape s, float* b, float* packed) : IHostTask
    {
        public void Run(int tile, int worker)
        {
            int first = tile * HostPanels.MaxWidth, end = Math.Min(first + HostPanels.MaxWidth, s.N);
            for (int start = first, width; start < end; start += width)
            {
                width = HostPanels.Width(s.N - start);
                float* panel = packed + (long)start * s.K;
                int used = Math.Min(width, s.N - start);
                if (s.TransposeB == 0)
                {
                    for (int k = 0; k < s.K; k++)
                    {
                        var to = new Span<float>(panel + (long)k * width, width);
                        new ReadOnlySpan<float>(b + (long)k * s.N + start, used).CopyTo(to);
                        to[used..].Clear();
                    }
                    continue;
                }
                for (int j = 0; j < width; j++)
                    for (int k = 0; k < s.K; k++)
                        panel[(long)k * width + j] = j < used ? b[(long)(start + j) * s.K + k] : 0;
            }
        }
    }

    /// <summary>96 rows of C: panel by panel, 1024 steps of k at a time, 6 rows in registers. Sums of a number run over k in order, whatever the tile.</summary>
    private readonly struct MultiplyTask(GemmShape s, float* a, float* packed, float* c, float* scratch) : IHostTask
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int tile, int worker)
        {
            int first = tile * HostRowsPerTile, rows = Math.Min(HostRowsPerTile, s.M - first);
            float* sums = scratch + worker * WorkerScratch(s), turned = sums + HostRowsPerTile * HostPanels.MaxWidth;
            int* offsets = stackalloc int[RegisterTile.Rows];
            for (int block = 0; block < s.N; block += HostPanels.MaxWidth)
                for (int start = block, width; start < Math.Min(block + HostPanels.MaxWidth, s.N); start += width)
                {
                    width = HostPanels.Width(s.N - start);
                    for (int k = 0; k < s.K; k += HostDepth)
                    {
                        int depth = Math.Min(HostDepth, s.K - k), pitch = s.TransposeA != 0 ? depth : s.K;
                        float* from = s.TransposeA != 0 ? turned : a + (long)first * s.K + k;
                        if (s.TransposeA != 0)
                            Turn(first, rows, k, depth, turned);
                        var run = HostRuns.One(depth);
                        for (int row = 0; row < rows; row += RegisterTile.Rows)
                        {
                            for (int i = 0; i < RegisterTile.Rows; i++)
                                offsets[i] = (Math.Min(row + i, rows - 1) - row) * pitch;
                            HostPanels.MultiplyRuns(width, from + (long)row * pitch, offsets, run, packed + (long)start * s.K + (long)k * width, sums + (long)row * width, k > 0);
                        }
                    }
                    for (int row = 0; row < rows; row++)
                        new ReadOnlySpan<float>(sums + (long)row * width, Math.Min(width, s.N - start)).CopyTo(new Span<float>(c + (long)(first + row) * s.N + start, width));
                }
        }

        /// <summary>Rows of op(a) from a's columns.</summary>
        private void Turn(int first, int rows, int k, int depth, float* to)
        {
            for (int i = 0; i < depth; i++)
                for (int row = 0; row < rows; row++)
                    to[(long)row * depth + i] = a[(long)(k + i) * s.M + first + row];
        }
    }
}
