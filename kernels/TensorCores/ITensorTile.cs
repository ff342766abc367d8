namespace IlgpuNetVlad.Kernels;

/// <summary>
/// Sizes of a block tile, as constants of a kernel: 128 rows by so many columns of C. A warp has 64×32, so a tile of 128 columns takes 8 warps, one of 64 columns 4.
/// </summary>
internal interface ITensorTile
{
    int Columns { get; }
}

/// <summary>128×128 by 256 threads: 64 FLOPs of bf16 for each byte from L2, 48 KB in three stages; two blocks on a multiprocessor.</summary>
internal readonly struct WideTile : ITensorTile
{
    public int Columns => 128;
}

/// <summary>128×64 by 128 threads: 43 FLOPs of bf16 for each byte from L2, 36 KB in three stages; for few columns, or few tiles.</summary>
internal readonly struct NarrowTile : ITensorTile
{
    public int Columns => 64;
}
