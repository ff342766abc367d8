using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// A block tile of the products on tensor cores (<see cref="ITensorTile"/> has the table): 128 rows by <see cref="ITensorTile.Columns"/> of C, k in steps of four chunks of 16 bytes, and stages of A and B in shared
/// memory. Each warp has 64×32 of C, 64 sums a thread, or two such.
/// <code>
/// by k     one row (of A) or column (of B) after the other, a step's 4 chunks each    chunk c of row r stands at place c ^ (r/2 mod 4)
/// across   one of the step's k after the other, all rows or columns of it             chunk c of k stands at place c ^ <see cref="ITensorNumbers.Swizzle"/>
/// </code>
/// What a warp reads at once then lies in different banks, and so do the sixteen bytes that each of eight threads copies.
/// </summary>
internal static class TensorTile<TTile, TNumbers>
    where TTile : struct, ITensorTile
    where TNumbers : struct, ITensorNumbers
{
    public const int Rows = 128, DepthChunks = 4;

    public static int Columns => default(TTile).Columns;

    public static int Stages => default(TTile).Stages;

    public static int Threads => Rows / 64 * (Columns / default(TTile).WarpColumns) * 32;

    /// <summary>k of a step.</summary>
    public static int Depth => DepthChunks * default(TNumbers).PerChunk;

    /// <summary>Chunks of all rows, or columns, of one k.</summary>
    public static int RowChunks => Rows / default(TNumbers).PerChunk;

    /// <inheritdoc cref="RowChunks"/>
    public static int ColumnChunks => Columns / default(TNumbers).PerChunk;

    /// <summary>Chunks of A in a stage, behind which B stands; of a stage.</summary>
    public const int AChunks = Rows * DepthChunks;

    /// <inheritdoc cref="AChunks"/>
    public static int StageChunks => (Rows + Columns) * DepthChunks;

    /// <summary>Such as <c>bf16-128x64x32</c>.</summary>
    public static string Name => $"{default(TNumbers).Precision.ToString().ToLowerInvariant()}-{Rows}x{Columns}x{Depth}";

    /// <summary>First row of this warp in the tile.</summary>
    public static int WarpRow => Group.IdxX / (Columns / default(TTile).WarpColumns * 32) * 64;

    /// <summary>First column of this warp in the tile.</summary>
    public static int WarpColumn => Group.IdxX / 32 % (Columns / default(TTile).WarpColumns) * default(TTile).WarpColumns;

    public static KernelSpecialization Bounds => new(Threads, default(TTile).Blocks);

    /// <summary>Bytes of shared memory that the driver is asked for: those of a tile that does not fit the 48 KB which every kernel gets.</summary>
    public static int DynamicSharedBytes => Stages * StageChunks * 16 > 48 * 1024 ? Stages * StageChunks * 16 : 0;

    private static int Lane => Group.IdxX % 32;

    /// <summary>Where chunk <paramref name="chunk"/> of row <paramref name="row"/> stands in a tile that lies by k.</summary>
    public static int ByDepth(int row, int chunk) => row * DepthChunks + (chunk ^ (row / 2 & 3));

    /// <summary>Where chunk <paramref name="chunk"/> of <paramref name="k"/> stands in a tile of A that lies across k.</summary>
    public static int RowAcross(int k, int chunk) => k * RowChunks + (chunk ^ default(TNumbers).Swizzle(k));

    /// <summary>Where chunk <paramref name="chunk"/> of <paramref name="k"/> stands in a tile of B that lies across k.</summary>
    public static int ColumnAcross(int k, int chunk) => k * ColumnChunks + (chunk ^ default(TNumbers).Swizzle(k));

    /// <summary>A fragment of A, product step 0 or 1 of a stage.</summary>
    public static FragmentA RowsOf(ArrayView<Chunk> shared, int tile, int step, bool across)
    {
        if (across)
            return default(TNumbers).RowsAcross(shared, tile, RowChunks, step * 2 * default(TNumbers).PerChunk, WarpRow);
        int at = tile + ByDepth(WarpRow + Lane % 16, 2 * step + Lane / 16);
        return TensorCore.LoadRows(ref shared[at], ref shared[at + 16 * DepthChunks], ref shared[at + 32 * DepthChunks], ref shared[at + 48 * DepthChunks]);
    }

    /// <summary>A fragment of B, product step 0 or 1 of a stage.</summary>
    /// <param name="half">Which 32 of the warp's columns.</param>
    public static FragmentB ColumnsOf(ArrayView<Chunk> shared, int tile, int step, bool across, int half = 0)
    {
        tile += AChunks;
        int column = WarpColumn + 32 * half;
        if (across)
            return default(TNumbers).ColumnsAcross(shared, tile, ColumnChunks, step * 2 * default(TNumbers).PerChunk, column);
        int at = tile + ByDepth(column + Lane % 8 + Lane / 16 * 8, 2 * step + Lane / 8 % 2);
        return TensorCore.LoadColumns(ref shared[at], ref shared[at + 16 * DepthChunks]);
    }

    /// <summary>Row of this thread's sums <c>…0</c> and <c>…1</c> of the first m16 tile; <c>…2</c> and <c>…3</c> stand 8 rows below.</summary>
    public static int ThreadRow => WarpRow + Lane / 4;

    /// <summary>Column of this thread's sums <c>A0</c> and <c>A2</c>; the next n8 tile stands 8 columns to the right.</summary>
    public static int ThreadColumn => WarpColumn + Lane % 4 * 2;

    /// <summary>
    /// Why another tile computes a product of so many rows and columns sooner, or null: a narrow tile leaves those to the wide one which would compute few columns
    /// beyond the last (at most a fifth of them) and fill 132 multiprocessors, for a wide tile reads less for each product.
    /// </summary>
    public static string? Refuses(long rows, int columns)
    {
        long narrow = (columns + Columns - 1) / Columns * Columns, wide = (columns + 127) / 128 * 128, blocks = (rows + Rows - 1) / Rows * (wide / 128);
        return Columns < 128 && 5 * narrow > 4 * wide && blocks >= 132 ? "a tile of 128 columns suits these" : null;
    }

    /// <summary>
    /// Why smaller tiles are sooner done with a product on this device, or null. Tiles go over the multiprocessors in waves, and a large tile takes as long as two wide ones. So it is taken, for what it reads less, where
    /// 2·⌈large tiles / multiprocessors⌉ ≤ ⌈wide tiles / multiprocessors⌉.
    /// </summary>
    public static string? Leaves(Device device, long rows, int columns)
    {
        if (Columns <= 128)
            return null;
        long down = (rows + Rows - 1) / Rows, large = down * ((columns + Columns - 1) / Columns), wide = down * ((columns + 127) / 128);
        return 2 * Waves(large, device.Multiprocessors) > Waves(wide, device.Multiprocessors) ? "waves of smaller tiles are sooner done" : null;
    }

    private static long Waves(long tiles, int multiprocessors) => (tiles + multiprocessors - 1) / multiprocessors;

    /// <summary>The blocks of a product.</summary>
    /// <param name="slices">Parts of k, each with sums of its own.</param>
    public static KernelConfig Blocks(int rows, int columns, int slices = 1)
    {
        var grid = new Index3D((rows + Rows - 1) / Rows, (columns + Columns - 1) / Columns, slices);
        var group = new Index3D(Threads, 1, 1);
        return DynamicSharedBytes == 0 ? new(grid, group) : new(grid, group, SharedMemoryConfig.RequestDynamic<Chunk>(DynamicSharedBytes / 16));
    }
}
