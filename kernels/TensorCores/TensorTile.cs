using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// The block tile that the products on tensor cores share: 128×128 of C by a group of 256 threads, k in steps of 32, three stages of A and B in shared memory:
/// 3 · (128 + 128) · 32 · 2 B = 48 KB, all that a kernel gets without asking the driver. Eight warps, two by four, have 64×32 of C each: 64 sums a thread.
/// <code>
/// by k     one of 128 rows (of A) or columns (of B) after the other, 32 k = 4 chunks each   chunk c of row r stands at place c ^ (r/2 mod 4)
/// across   one of 32 k after the other, 128 rows or columns = 16 chunks each                chunk c of k stands at place c ^ (k mod 8)
/// </code>
/// The eight 16-byte rows that ldmatrix reads at once then lie in different banks, and so do the sixteen bytes that each of eight threads copies.
/// A block reads (128 + 128) · 2 B from L2 for each 128·128·2 FLOP of a k: 64 FLOP a byte.
/// </summary>
internal static class TensorTile
{
    public const int Rows = 128, Columns = 128, Depth = 32, Threads = 256, Stages = 3;

    /// <summary>Chunks of 32 k, of 128 rows or columns, of A or B in a stage, of a stage, and of all.</summary>
    public const int DepthChunks = Depth / Chunk.Channels, SideChunks = Rows / Chunk.Channels, TileChunks = Rows * DepthChunks, StageChunks = 2 * TileChunks, AllChunks = Stages * StageChunks;

    /// <summary>First row of this warp's 64×32 in the tile.</summary>
    public static int WarpRow => Group.IdxX / 128 * 64;

    /// <summary>First column of this warp's 64×32 in the tile.</summary>
    public static int WarpColumn => Group.IdxX / 32 % 4 * 32;

    private static int Lane => Group.IdxX % 32;

    /// <summary>Where chunk <paramref name="chunk"/> of row <paramref name="row"/> stands in a tile that lies by k.</summary>
    public static int ByDepth(int row, int chunk) => row * DepthChunks + (chunk ^ (row / 2 & 3));

    /// <summary>Where chunk <paramref name="chunk"/> of <paramref name="k"/> stands in a tile that lies across k.</summary>
    public static int Across(int k, int chunk) => k * SideChunks + (chunk ^ (k & 7));

    /// <summary>A fragment of A, k16 step 0 or 1 of a tile that lies by k.</summary>
    public static FragmentA RowsByDepth(ArrayView<Chunk> shared, int tile, int step)
    {
        int at = tile + ByDepth(WarpRow + Lane % 16, 2 * step + Lane / 16);
        return TensorCore.LoadRows(ref shared[at], ref shared[at + 16 * DepthChunks], ref shared[at + 32 * DepthChunks], ref shared[at + 48 * DepthChunks]);
    }

    /// <summary>A fragment of A, k16 step 0 or 1 of a tile that lies across k.</summary>
    public static FragmentA RowsAcross(ArrayView<Chunk> shared, int tile, int step)
    {
        int k = 16 * step + Lane % 8 + Lane / 16 * 8, chunk = WarpRow / Chunk.Channels + Lane / 8 % 2;
        return TensorCore.LoadRowsAcross(
            ref shared[tile + Across(k, chunk)], ref shared[tile + Across(k, chunk + 2)], ref shared[tile + Across(k, chunk + 4)], ref shared[tile + Across(k, chunk + 6)]);
    }

    /// <summary>A fragment of B, k16 step 0 or 1 of a tile that lies by k.</summary>
    public static FragmentB ColumnsByDepth(ArrayView<Chunk> shared, int tile, int step)
    {
        int at = tile + ByDepth(WarpColumn + Lane % 8 + Lane / 16 * 8, 2 * step + Lane / 8 % 2);
        return TensorCore.LoadColumns(ref shared[at], ref shared[at + 16 * DepthChunks]);
    }

    /// <summary>A fragment of B, k16 step 0 or 1 of a tile that lies across k.</summary>
    public static FragmentB ColumnsAcross(ArrayView<Chunk> shared, int tile, int step)
    {
        int k = 16 * step + Lane % 16, chunk = WarpColumn / Chunk.Channels + Lane / 16;
        return TensorCore.LoadColumnsAcross(ref shared[tile + Across(k, chunk)], ref shared[tile + Across(k, chunk + 2)]);
    }

    /// <summary>Row of this thread's sums <c>…0</c> and <c>…1</c> of the first m16 tile; <c>…2</c> and <c>…3</c> stand 8 rows below.</summary>
    public static int ThreadRow => WarpRow + Lane / 4;

    /// <summary>Column of this thread's sums <c>A0</c> and <c>A2</c>; the next n8 tile stands 8 columns to the right.</summary>
    public static int ThreadColumn => WarpColumn + Lane % 4 * 2;
}
