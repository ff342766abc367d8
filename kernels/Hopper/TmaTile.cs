using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// The block tile of convolutions with wgmma whose operands come by TMA: of a map 32 rows of 8 pixels, by 128 columns, in bf16, k in steps of 64. Two warpgroups of 128 threads have 16 rows of the map
/// each, as two tiles of 8×8 pixels, and a ninth warp, of which one thread works, starts the copies.
/// <code>
/// rows       a box of 32 + R − 1 rows of 8 pixels with 64 channels, 1 KB a row of pixels: at most 34 KB, three stages
/// columns    64 k by 128 columns of one tap: 16 KB, seven stages
/// mbarriers  full and empty for each stage, 160 bytes; with 1 KB to begin at a multiple of 1 KB, 215 KB of Hopper's 227
/// registers  128 sums a thread; at most 168, for the 9 warps count as 12: registers are given to four warps at once
/// </code>
/// A box serves the R taps of one column of the kernel: 8 pixels are a whole pattern of the swizzle, so tap r begins r KB further, where a descriptor may begin. For 3×3 taps 34 KB of rows and 48 KB of
/// columns come for three products of 256×128×64: 150 FLOPs for each byte from L2, where <see cref="WgmmaTile"/> has 85. At 5.5 TB/s that is the difference between 820 and 470 TFLOP/s, of a peak of 989.
/// </summary>
internal static class TmaTile
{
    /// <summary>Of a map.</summary>
    public const int Down = 32, Across = 8;

    public const int Columns = 128, Depth = 64, Threads = Consumers + 32;

    /// <summary>Threads that multiply; the first behind them copies.</summary>
    public const int Consumers = 256;

    /// <summary>Most rows of a kernel.</summary>
    public const int MostTaps = 3;

    public const int RowsStages = 3, ColumnsStages = 7;

    /// <summary>Bytes of 8 pixels with 64 channels: a pattern of the swizzle.</summary>
    public const int LineBytes = Across * Depth * TensorBox.NumberBytes;

    /// <summary>Bytes of a stage.</summary>
    public const int RowsBytes = (Down + MostTaps - 1) * LineBytes, ColumnsBytes = Columns * Depth * TensorBox.NumberBytes;

    public const int SharedBytes = LineBytes + RowsStages * RowsBytes + ColumnsStages * ColumnsBytes + 2 * (RowsStages + ColumnsStages) * MemoryBarrier.Bytes;

    public const string Name = "wgmma-tma-256x128x64";

    public static KernelSpecialization Bounds => new(Threads, 1);

    /// <summary>What is wrong with a kernel or a stride for such boxes, or null.</summary>
    public static string? Refuses(in ConvolutionShape s) => s.Stride != 1 ? "takes a stride of 1" : s.R > MostTaps ? $"takes kernels of at most {MostTaps} rows" : null;

    /// <summary>
    /// Why other tiles are sooner done with maps of this size, or null: it wants more than 64 columns and a block for two thirds of an H100's 132 multiprocessors, and at most a fifth of its pixels beside the map.
    /// </summary>
    public static string? Leaves(int maps, int rows, int columns, int channels)
    {
        long tiles = (long)maps * CountDown(rows) * CountAcross(columns);
        if (channels <= Columns / 2 || tiles * ((channels + Columns - 1) / Columns) < 88)
            return "smaller tiles fill the chip sooner";
        return 4 * tiles * Down * Across > 5L * maps * rows * columns ? "its tiles lie beside the map for more than a fifth" : null;
    }

    /// <summary>Tiles of a map from top to bottom, and from left to right.</summary>
    public static int CountDown(int rows) => (rows + Down - 1) / Down;

    /// <inheritdoc cref="CountDown"/>
    public static int CountAcross(int columns) => (columns + Across - 1) / Across;

    /// <summary>Row of this thread's first sum in the tile, of 8 a row of pixels; in the upper 64 rows of its half.</summary>
    public static int ThreadRow => WgmmaTile.ThreadRow;

    /// <summary>The blocks of a convolution whose result has such maps.</summary>
    public static KernelConfig Blocks(int maps, int rows, int columns, int channels) => new(
        new Index3D(maps * CountDown(rows) * CountAcross(columns), (channels + Columns - 1) / Columns, 1),
        new Index3D(Threads, 1, 1),
        SharedMemoryConfig.RequestDynamic<Chunk>(SharedBytes / 16));
}
