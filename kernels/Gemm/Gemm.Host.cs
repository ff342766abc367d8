using System.Runtime.CompilerServices;
using ILGPU;

namespace IlgpuNetVlad.Kernels;

public static unsafe partial class Gemm
{
    /// <summary>Columns of C in a tile.</summary>
    private const int HostColumns = 128;

    /// <summary>Rows of C in a tile at most: so often is each packed number of b used.</summary>
    private const int HostRows = 40 * RegisterTile.Rows;

    /// <summary>Steps of k in one go: a tile's parts of b (128 KB), of a turned a (240 KB) and of C (120 KB) share the L2 cache.</summary>
    private const int HostDepth = 256;

    private static int ColumnTiles(in GemmShape s) => (s.N + HostColumns - 1) / HostColumns;

    /// <summary>Rows of a tile that is cut no further.</summary>
    private const int LeastRows = 4 * RegisterTile.Rows;

    /// <summary>Tiles from top to bottom that keep all threads busy.</summary>
    private static int Wanted(Device device, in GemmShape s) => device.Threads == 1 ? 1 : (3 * device.Threads + ColumnTiles(s) - 1) / ColumnTiles(s);

    /// <summary>Rows of a tile, fewer where there would be too few tiles for all threads. The sums do not depend on it.</summary>
    private static int TileRows(Device device, in GemmShape s)
    {
        int parts = Math.Max((s.M + HostRows - 1) / HostRows, Math.Min(Wanted(device, s), (s.M + LeastRows - 1) / LeastRows));
        return WholeTiles((s.M + parts - 1) / Math.Max(parts, 1));
    }

    /// <summary>The most that a tile has of so many rows of C or fewer: of 225 one thread makes one tile, of 1100 five with fewer each.</summary>
    private static int MostTileRows(Device device, in GemmShape s)
        => s.M >= Wanted(device, s) * HostRows ? HostRows : Math.Max(TileRows(device, s), Math.Min(LeastRows, WholeTiles(s.M)));

    private static int WholeTiles(int rows) => (rows + RegisterTile.Rows - 1) / RegisterTile.Rows * RegisterTile.Rows;

    private static long WorkerScratch(in GemmShape s, int rows)
        => HostColumns * (long)(rows + HostDepth) + (s.TransposeA != 0 ? (long)rows * HostDepth : 0);

    private static long HostWorkspace(Device device, GemmShape s) => s.M == 0 ? 0 : device.Threads * WorkerScratch(s, MostTileRows(device, s));

    private static void RunHost(Device device, in GemmShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        if (s.M == 0)
            return;
        int rows = TileRows(device, s);
        device.RunHost((s.M + rows - 1) / rows * ColumnTiles(s),
            new HostTask(s, rows, HostMemory.Pointer(v[0]), HostMemory.Pointer(v[1]), HostMemory.Pointer(v[2]), HostMemory.Pointer(workspace)));
    }

    /// <summary>
    /// A tile of C: for 256 steps of k at a time, its part of op(b) is packed into panels next to the core, then 6 rows at a time are
    /// multiplied in registers. Sums of a number run over k in order, whatever the tile. Neighbouring tiles share their columns of b.
    /// </summary>
    private readonly struct HostTask(GemmShape s, int tileRows, float* a, float* b, float* c, float* scratch) : IHostTask
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int tile, int worker)
        {
            int rowTiles = (s.M + tileRows - 1) / tileRows;
            int firstRow = tile % rowTiles * tileRows, rows = Math.Min(tileRows, s.M - firstRow);
            int first = tile / rowTiles * HostColumns, end = Math.Min(first + HostColumns, s.N);
            float* sums = scratch + worker * WorkerScratch(s, tileRows), packed = sums + HostColumns * tileRows, turned = packed + HostColumns * HostDepth;
            int* offsets = stackalloc int[RegisterTile.Rows];
            for (int k = 0; k < s.K; k += HostDepth)
            {
                int depth = Math.Min(HostDepth, s.K - k);
                if (s.TransposeA != 0)
                    for (int i = 0; i < depth; i++)
                        new ReadOnlySpan<float>(a + (long)(k + i) * s.M + firstRow, rows).CopyTo(new Span<float>(turned + i * tileRows, rows));
                for (int start = first, width; start < end; start += width)
                {
                    width = HostPanels.Width(s.N - start);
                    Pack(start, width, k, depth, packed);
                    float* to = sums + (start - first) * tileRows;
                    if (s.TransposeA != 0 && k == 0)
                        new Span<float>(to, tileRows * width).Clear();
                    for (int row = 0; row < rows; row += RegisterTile.Rows)
                    {
                        // A tile that reaches beyond the last row repeats it; those sums are never read.
                        int pitch = s.TransposeA != 0 ? 1 : s.K;
                        for (int i = 0; i < RegisterTile.Rows; i++)
                            offsets[i] = (Math.Min(row + i, rows - 1) - row) * pitch;
                        if (s.TransposeA != 0)
                            HostPanels.MultiplyOuter(width, turned + row, offsets, 1, 0, depth, tileRows, packed, width, to + row * width, width);
                        else
                            HostPanels.MultiplyRuns(width, a + (long)(firstRow + row) * s.K + k, offsets, HostRuns.One(depth), packed, to + row * width, k > 0);
                    }
                }
            }
            for (int start = first, width; start < end; start += width)
            {
                width = HostPanels.Width(s.N - start);
                HostPanels.Finish(sums + (start - first) * tileRows, width, null, false, c + (long)firstRow * s.N + start, s.N, rows, Math.Min(width, s.N - start));
            }
        }

        /// <summary>Columns of op(b) as a panel [k][width], padded columns zero.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Pack(int start, int width, int k, int depth, float* panel)
        {
            int used = Math.Min(width, s.N - start);
            if (s.TransposeB == 0)
            {
                for (int i = 0; i < depth; i++)
                {
                    var to = new Span<float>(panel + i * width, width);
                    new ReadOnlySpan<float>(b + (long)(k + i) * s.N + start, used).CopyTo(to);
                    to[used..].Clear();
                }
                return;
            }
            HostTranspose.ToPanel(b + (long)start * s.K + k, s.K, used, panel, width, depth);
        }
    }
}
