using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// What tensor cores multiply, and how a tile of it becomes fragments. Tiles by k need no word here: a row of 16 bytes is a row of 16 bytes to ldmatrix, and the fragments of
/// mma.m16n8k8 in tf32 are those of m16n8k16 in bf16 with a number of 4 bytes in place of each pair of 2.
/// </summary>
internal interface ITensorNumbers
{
    Precision Precision { get; }

    /// <summary>Numbers in a chunk of 16 bytes; a product's step of k is two chunks long.</summary>
    int PerChunk { get; }

    /// <summary>c + A·B for a warp's 64×32 and two chunks of k.</summary>
    Sums64 Multiply(Sums64 c, FragmentA a, FragmentB b);

    /// <summary>What the place of a chunk in line <paramref name="k"/> of a tile across k is xored with, so that reads do not meet in a bank.</summary>
    int Swizzle(int k);

    /// <summary>A from a tile across k.</summary>
    /// <param name="line">Chunks from one k to the next.</param>
    /// <param name="k">First of the product's step.</param>
    /// <param name="row">First of the warp.</param>
    FragmentA RowsAcross(ArrayView<Chunk> shared, int tile, int line, int k, int row);

    /// <summary>B from a tile across k.</summary>
    /// <inheritdoc cref="RowsAcross"/>
    FragmentB ColumnsAcross(ArrayView<Chunk> shared, int tile, int line, int k, int column);

    /// <summary>A chunk of numbers from fp32, zeros behind the last.</summary>
    Chunk Pack<TRow>(TRow row)
        where TRow : struct, IPackingRow;
}
