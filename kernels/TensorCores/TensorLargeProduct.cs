using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// C = A·B on tensor cores for tiles whose warps have 64×64 of C: as <see cref="TensorProduct"/>, with a fragment of A used for two of B, and copies three steps ahead in four stages. Sums are the same in the
/// same order, so a result does not show which tile it came from.
/// </summary>
internal static class TensorLargeProduct
{
    public static void Run<TProduct, TTile, TNumbers>(ArrayView<Chunk> shared, TProduct product)
        where TProduct : struct, ITensorProduct
        where TTile : struct, ITensorTile
        where TNumbers : struct, ITensorNumbers
    {
        int steps = product.Steps, stage = 0, free = 3 * TensorTile<TTile, TNumbers>.StageChunks;
        if (steps > 0)
            product.Start(shared, 0);
        AsyncCopy.Commit();
        if (steps > 1)
            product.Start(shared, TensorTile<TTile, TNumbers>.StageChunks);
        AsyncCopy.Commit();
        if (steps > 2)
            product.Start(shared, 2 * TensorTile<TTile, TNumbers>.StageChunks);
        AsyncCopy.Commit();
        Sums64 left = new(), right = new();
        for (int step = 0; step < steps; step++)
        {
            AsyncCopy.WaitForAllButTwo();
            Group.Barrier();
            if (step + 3 < steps)
                product.Start(shared, free);
            AsyncCopy.Commit();
            var a = TensorTile<TTile, TNumbers>.RowsOf(shared, stage, 0, product.RowsAcross);
            left = default(TNumbers).Multiply(left, a, TensorTile<TTile, TNumbers>.ColumnsOf(shared, stage, 0, product.ColumnsAcross));
            right = default(TNumbers).Multiply(right, a, TensorTile<TTile, TNumbers>.ColumnsOf(shared, stage, 0, product.ColumnsAcross, 1));
            a = TensorTile<TTile, TNumbers>.RowsOf(shared, stage, 1, product.RowsAcross);
            left = default(TNumbers).Multiply(left, a, TensorTile<TTile, TNumbers>.ColumnsOf(shared, stage, 1, product.ColumnsAcross));
            right = default(TNumbers).Multiply(right, a, TensorTile<TTile, TNumbers>.ColumnsOf(shared, stage, 1, product.ColumnsAcross, 1));
            stage = TensorProduct.Next<TTile, TNumbers>(stage);
            free = TensorProduct.Next<TTile, TNumbers>(free);
        }
        TensorProduct.Store<TProduct, TTile, TNumbers>(product, left, 0);
        TensorProduct.Store<TProduct, TTile, TNumbers>(product, right, 32);
    }
}
