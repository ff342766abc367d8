using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// The block tile of gradients by weights with wgmma whose operands come by TMA: four panels of 64 input channels, each of one tap, by 128 output channels, k in patches of 8×8 pixels. Both operands lie
/// across k, for channels are neighbours: a pixel is a line of 128 bytes, a row of a patch a pattern of the swizzle.
/// <code>
/// panels     in the order of channels, columns of the kernel, rows of the kernel: the R of a column read one box of 8 + R − 1 rows of pixels, each a row of pixels, 1 KB, further
/// stages     four of 48 KB: two boxes (four for R = 1), at most 32 KB, and 16 KB of the gradient; 1 KB to begin at a multiple of 1 KB, two mbarriers a stage
/// </code>
/// For 3×3 taps 20 KB and 16 KB come for a product of 256×128×64: 114 FLOPs for each byte from L2, where <see cref="WgmmaTile"/> has 85.
/// </summary>
internal static class TmaWeightsTile
{
    /// <summary>Rows and columns of a patch.</summary>
    public const int Patch = 8;

    public const int Panels = 4, PanelRows = 64, Stages = 4;

    /// <summary>Bytes of a row of 8 pixels with 64 channels.</summary>
    public const int LineBytes = TmaTile.LineBytes;

    /// <summary>Bytes of the boxes of x in a stage, and of the gradient's; of a stage.</summary>
    public const int RowsBytes = Panels * Patch * LineBytes, ColumnsBytes = 2 * Patch * LineBytes, StageBytes = RowsBytes + ColumnsBytes;

    public const int SharedBytes = LineBytes + Stages * StageBytes + 2 * Stages * MemoryBarrier.Bytes;

    /// <summary>Patches of maps from top to bottom, and from left to right.</summary>
    public static int Count(int pixels) => (pixels + Patch - 1) / Patch;

    /// <summary>Patches of all maps.</summary>
    public static int CountAll(in ConvolutionShape s) => s.B * Count(s.P) * Count(s.Q);

    /// <summary>Steps of 64 input channels.</summary>
    public static int ChannelBlocks(in ConvolutionShape s) => (s.Ic + PanelRows - 1) / PanelRows;

    /// <summary>Why other tiles are sooner done, or null, as <see cref="TmaTile.Leaves"/>.</summary>
    public static string? Leaves(in ConvolutionShape s, int slices)
    {
        var blocks = Blocks(s, slices).GridDim;
        if (s.Oc <= TmaTile.Columns / 2 || (long)blocks.X * blocks.Y * blocks.Z < 88)
            return "smaller tiles fill the chip sooner";
        return 4L * CountAll(s) * Patch * Patch > 5L * s.B * s.P * s.Q ? "its patches lie beside the map for more than a fifth" : null;
    }

    /// <summary>The blocks of a gradient whose patches are cut into slices.</summary>
    public static KernelConfig Blocks(in ConvolutionShape s, int slices = 1) => new(
        new Index3D((ChannelBlocks(s) * s.R * s.S + Panels - 1) / Panels, (s.Oc + TmaTile.Columns - 1) / TmaTile.Columns, slices),
        new Index3D(TmaTile.Threads, 1, 1),
        SharedMemoryConfig.RequestDynamic<Chunk>(SharedBytes / 16));
}
