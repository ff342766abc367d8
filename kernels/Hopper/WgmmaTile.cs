using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// The block tile of products with wgmma: 256 rows by 128 columns of C in bf16, k in steps of 64, by two warpgroups of 128 threads, each with 128×128 of C.
/// <code>
/// registers       128 sums a thread, and 8 pixels with 3 numbers each: at most 255, for one block a multiprocessor
/// shared memory   48 KB a stage (A 32, B 16), four stages, and 1 KB to begin at a multiple of 1 KB: 193 KB of Hopper's 227
/// </code>
/// 256×128 has 85 FLOPs for each byte from L2, where 128×128 has 64: at 5.5 TB/s that is the difference between 470 and 350 TFLOP/s. Four stages, because a product is on its way while the
/// next one begins, and two copies are ahead of it.
/// <code>
/// by k     one row (or column) after the other, 64 k in 128 bytes    chunk c of row r stands at place c ^ (r mod 8)
/// across   panels of 64 rows, in each one k after the other          chunk c of a panel's k stands at place c ^ (k mod 8)
/// </code>
/// That is the 128-byte swizzle of wgmma's descriptors, for which a tile begins at a multiple of 1 KB.
/// </summary>
internal static class WgmmaTile
{
    public const int Rows = 256, Columns = 128, Depth = 64, Stages = 4, Threads = 256;

    /// <summary>Numbers of bf16 in a chunk, and chunks of k in a step.</summary>
    public const int PerChunk = 8, DepthChunks = Depth / PerChunk;

    /// <summary>Chunks of A in a stage, behind which B stands; of a stage.</summary>
    public const int AChunks = Rows * DepthChunks, StageChunks = (Rows + Columns) * DepthChunks;

    private const int PatternBytes = 1024, ChunkBytes = 16, PanelChunks = Depth * 8;

    public const int SharedBytes = Stages * StageChunks * ChunkBytes + PatternBytes;

    public const string Name = "wgmma-256x128x64";

    public static KernelSpecialization Bounds => new(Threads, 1);

    /// <summary>Where chunk <paramref name="chunk"/> of row <paramref name="row"/> stands in a tile that lies by k.</summary>
    public static int ByDepth(int row, int chunk) => row * DepthChunks + (chunk ^ (row & 7));

    /// <summary>Where chunk <paramref name="chunk"/> of <paramref name="k"/> stands in a tile that lies across k.</summary>
    public static int Across(int k, int chunk) => chunk / 8 * PanelChunks + k * 8 + ((chunk & 7) ^ (k & 7));

    /// <summary>Chunks from the start of the block's shared memory to the first stage.</summary>
    /// <param name="address">Of its start, in bytes.</param>
    public static int FirstStage(uint address) => (int)(PatternBytes - address % PatternBytes) % PatternBytes / ChunkBytes;

    /// <summary>Address of this thread's warpgroup's half of A in a stage.</summary>
    public static uint OwnRows(uint stage) => stage + (uint)(Group.IdxX / 128 * (AChunks / 2) * ChunkBytes);

    /// <summary>Address of B in a stage.</summary>
    public static uint ColumnsOf(uint stage) => stage + AChunks * ChunkBytes;

    /// <summary>Row in the tile of this thread's first sum; in the upper 64 rows of its half.</summary>
    public static int ThreadRow => Group.IdxX / 128 * 128 + Group.IdxX / 32 % 4 * 16 + Group.IdxX % 32 / 4;

    /// <summary>The window of a row where a product pools: rows g, g + 8, g + 64 and g + 72 of 128 are one, which one thread has the sums of; <c>row / 64 % 2</c> and <c>row / 8 % 2</c> are its place there.</summary>
    public static int Window(int row) => row / 128 * 32 + row / 16 % 4 * 8 + row % 8;

    /// <summary>Column in the tile of this thread's first sum.</summary>
    public static int ThreadColumn => Group.IdxX % 4 * 2;

    /// <summary>
    /// Why smaller tiles are sooner done with a product of so many rows and columns, or null: this one wants two thirds of an H100's 132 multiprocessors to have a block, and more than 64 columns.
    /// </summary>
    public static string? Leaves(long rows, int columns)
        => columns <= 64 || (rows + Rows - 1) / Rows * ((columns + Columns - 1) / Columns) < 88 ? "smaller tiles fill the chip sooner" : null;

    /// <summary>The blocks of a product.</summary>
    /// <param name="slices">Parts of k, each with sums of its own.</param>
    public static KernelConfig Blocks(int rows, int columns, int slices = 1) => new(
        new Index3D((rows + Rows - 1) / Rows, (columns + Columns - 1) / Columns, slices),
        new Index3D(Threads, 1, 1),
        SharedMemoryConfig.RequestDynamic<Chunk>(SharedBytes / ChunkBytes));
}
