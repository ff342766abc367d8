using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// The table of block tiles for mma.sync, as constants of a kernel: 128 rows by so many columns of C, and how many stages of 32 k (16 in tf32) lie in shared memory. A warp has 64 rows by 32 or 64 columns.
/// <code>
///               C         threads   of a warp   stages          shared memory   blocks of a multiprocessor   FLOPs of bf16 for each byte from L2
/// Wide          128×128   256       64×32       3 of 16 KB      48 KB           2                            64
/// Narrow        128×64    128       64×32       3 of 12 KB      36 KB           3                            43
/// Large         128×256   256       64×64       4 of 24 KB      96 KB, asked    1                            85
/// </code>
/// 96 KB is what every chip from compute capability 8.0 on gives to a block that asks; stages of 64 k would take twice that.
/// </summary>
internal interface ITensorTile
{
    int Columns { get; }

    /// <summary>Columns of a warp.</summary>
    int WarpColumns { get; }

    int Stages { get; }

    /// <summary>Blocks that a multiprocessor is to hold: as many as shared memory has room for, or registers without spilling.</summary>
    int Blocks { get; }

    /// <summary>The stages, in a kernel.</summary>
    ArrayView<Chunk> Shared();
}

/// <summary>128×128 by 256 threads.</summary>
internal readonly struct WideTile : ITensorTile
{
    public int Columns => 128;

    public int WarpColumns => 32;

    public int Stages => 3;

    public int Blocks => 2;

    public ArrayView<Chunk> Shared() => SharedMemory.Allocate<Chunk>(3 * (128 + 128) * 4);
}

/// <summary>128×64 by 128 threads; for few columns, or few tiles.</summary>
internal readonly struct NarrowTile : ITensorTile
{
    public int Columns => 64;

    public int WarpColumns => 32;

    public int Stages => 3;

    public int Blocks => 3;

    public ArrayView<Chunk> Shared() => SharedMemory.Allocate<Chunk>(3 * (128 + 64) * 4);
}

/// <summary>128×256 by 256 threads, 128 sums each; for many columns and many tiles.</summary>
internal readonly struct LargeTile : ITensorTile
{
    public int Columns => 256;

    public int WarpColumns => 64;

    public int Stages => 4;

    public int Blocks => 1;

    public ArrayView<Chunk> Shared() => SharedMemory.GetDynamic<Chunk>();
}
