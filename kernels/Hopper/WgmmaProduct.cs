using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// C = A·B with wgmma, one block tile (<see cref="WgmmaTile"/>). While the product of a step runs, the next one may begin and copies run two steps ahead:
/// <code>
/// wait until this step's copies are there, publish them, barrier      behind it everyone has seen the product of two steps before end
/// start this step's product                                           the one before may still be on its way
/// start the copies of two steps later                                 into the stage of two steps before
/// wait until the product of the step before has ended
/// </code>
/// </summary>
internal static class WgmmaProduct
{
    public static void Run<TProduct>(TProduct product)
        where TProduct : struct, ITensorProduct
    {
        Wgmma.Open();
        var shared = SharedMemory.GetDynamic<Chunk>();
        uint start = Wgmma.Address(ref shared[0]);
        int origin = WgmmaTile.FirstStage(start);
        start += (uint)origin * 16;
        int steps = product.Steps, stage = 0, free = 2;
        if (steps > 0)
            product.Start(shared, origin);
        AsyncCopy.Commit();
        if (steps > 1)
            product.Start(shared, origin + WgmmaTile.StageChunks);
        AsyncCopy.Commit();
        for (int step = 0; step < steps; step++)
        {
            AsyncCopy.WaitForAllButOne();
            Wgmma.Publish();
            Group.Barrier();
            uint tile = start + (uint)(stage * WgmmaTile.StageChunks * 16);
            Wgmma.Start(WgmmaTile.OwnRows(tile), WgmmaTile.ColumnsOf(tile), product.RowsAcross ? 1 : 0, product.ColumnsAcross ? 1 : 0);
            if (step + 2 < steps)
                product.Start(shared, origin + free * WgmmaTile.StageChunks);
            AsyncCopy.Commit();
            Wgmma.WaitForAllButOne();
            stage = (stage + 1) % WgmmaTile.Stages;
            free = (free + 1) % WgmmaTile.Stages;
        }
        Wgmma.WaitForAll();
        int row = Grid.IdxX * WgmmaTile.Rows + WgmmaTile.ThreadRow, column = Grid.IdxY * WgmmaTile.Columns + WgmmaTile.ThreadColumn;
        if (product.Pools)
        {
            StoreLargest(product, WgmmaTile.Window(row), column, Wgmma.Sums(0), Wgmma.Sums(1));
            return;
        }
        Store(product, row, column, Wgmma.Sums(0));
        Store(product, row + 64, column, Wgmma.Sums(1));
    }

    private static void StoreLargest<TProduct>(TProduct product, int window, int column, Sums64 upper, Sums64 lower)
        where TProduct : struct, ITensorProduct
    {
        TensorProduct.StoreLargest(product, window, column, upper.M0, lower.M0);
        TensorProduct.StoreLargest(product, window, column + 32, upper.M1, lower.M1);
        TensorProduct.StoreLargest(product, window, column + 64, upper.M2, lower.M2);
        TensorProduct.StoreLargest(product, window, column + 96, upper.M3, lower.M3);
    }

    /// <summary>Hands the sums of 64 rows to the product.</summary>
    public static void Store<TProduct>(TProduct product, int row, int column, Sums64 sums)
        where TProduct : struct, ITensorSums
    {
        TensorProduct.Store(product, row, column, sums.M0);
        TensorProduct.Store(product, row, column + 32, sums.M1);
        TensorProduct.Store(product, row, column + 64, sums.M2);
        TensorProduct.Store(product, row, column + 96, sums.M3);
    }
}
