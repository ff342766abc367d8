using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>Where the sums of a product go.</summary>
internal interface ITensorSums
{
    /// <summary>
    /// Whether the largest of four rows is stored instead of each, a constant. The four rows of a window are such as one thread has the sums of: with mma.sync g + 8j, j from 0 to 3 or 4
    /// to 7, of a warp's 64 (<see cref="TensorProduct.Window"/>), with wgmma those of <see cref="WgmmaTile.Window"/>; or two threads share them (<see cref="TmaProduct"/>).
    /// </summary>
    bool Pools { get; }

    /// <summary>Takes two neighbouring sums; row and column may lie beyond the last.</summary>
    void Store(int row, int column, float first, float second);
}

/// <summary>A product for <see cref="TensorProduct"/>: where its operands come from, and where its sums go. A thread keeps its state of copies in the fields.</summary>
internal interface ITensorProduct : ITensorSums
{
    /// <summary>Steps of k of this block.</summary>
    int Steps { get; }

    /// <summary>Whether A lies across k in shared memory, a constant.</summary>
    bool RowsAcross { get; }

    /// <summary>Whether B lies across k in shared memory, a constant.</summary>
    bool ColumnsAcross { get; }

    /// <summary>Starts this thread's copies of the next step of k into the stage whose first chunk is given.</summary>
    void Start(ArrayView<Chunk> shared, int stage);
}

/// <summary>
/// C = A·B on tensor cores, one block tile: copies run two steps ahead, and one barrier a step is enough: behind it everyone has left the stage that the next copies fill.
/// </summary>
internal static class TensorProduct
{
    /// <summary>This thread's sums.</summary>
    public static Sums64 Sum<TProduct, TTile, TNumbers>(ArrayView<Chunk> shared, TProduct product)
        where TProduct : struct, ITensorProduct
        where TTile : struct, ITensorTile
        where TNumbers : struct, ITensorNumbers
    {
        int steps = product.Steps, stage = 0, free = 2 * TensorTile<TTile, TNumbers>.StageChunks;
        if (steps > 0)
            product.Start(shared, 0);
        AsyncCopy.Commit();
        if (steps > 1)
            product.Start(shared, TensorTile<TTile, TNumbers>.StageChunks);
        AsyncCopy.Commit();
        var sums = new Sums64();
        for (int step = 0; step < steps; step++)
        {
            AsyncCopy.WaitForAllButOne();
            Group.Barrier();
            if (step + 2 < steps)
                product.Start(shared, free);
            AsyncCopy.Commit();
            sums = Multiply<TProduct, TTile, TNumbers>(sums, product, shared, stage, 0);
            sums = Multiply<TProduct, TTile, TNumbers>(sums, product, shared, stage, 1);
            stage = Next<TTile, TNumbers>(stage);
            free = Next<TTile, TNumbers>(free);
        }
        return sums;
    }

    /// <summary>Sums, and hands them to the product.</summary>
    public static void Run<TProduct, TTile, TNumbers>(ArrayView<Chunk> shared, TProduct product)
        where TProduct : struct, ITensorProduct
        where TTile : struct, ITensorTile
        where TNumbers : struct, ITensorNumbers
    {
        if (default(TTile).WarpColumns > 32)
            TensorLargeProduct.Run<TProduct, TTile, TNumbers>(shared, product);
        else
            Store<TProduct, TTile, TNumbers>(product, Sum<TProduct, TTile, TNumbers>(shared, product), 0);
    }

    /// <summary>Hands a warp's 64×32 to the product.</summary>
    /// <param name="right">First of its columns, as seen from the warp's.</param>
    public static void Store<TProduct, TTile, TNumbers>(TProduct product, Sums64 sums, int right)
        where TProduct : struct, ITensorProduct
        where TTile : struct, ITensorTile
        where TNumbers : struct, ITensorNumbers
    {
        int row = Grid.IdxX * TensorTile<TTile, TNumbers>.Rows + TensorTile<TTile, TNumbers>.ThreadRow;
        int column = Grid.IdxY * TensorTile<TTile, TNumbers>.Columns + TensorTile<TTile, TNumbers>.ThreadColumn + right;
        if (product.Pools)
        {
            StoreLargest(product, Window(row), column, sums.M0, sums.M1);
            StoreLargest(product, Window(row) + 8, column, sums.M2, sums.M3);
            return;
        }
        Store(product, row, column, sums.M0);
        Store(product, row + 16, column, sums.M1);
        Store(product, row + 32, column, sums.M2);
        Store(product, row + 48, column, sums.M3);
    }

    /// <summary>The window that a row belongs to; its place in the window is <c>row / 8 % 4</c>.</summary>
    public static int Window(int row) => row / 32 * 8 + row % 8;

    private static Sums64 Multiply<TProduct, TTile, TNumbers>(Sums64 sums, TProduct product, ArrayView<Chunk> shared, int stage, int step)
        where TProduct : struct, ITensorProduct
        where TTile : struct, ITensorTile
        where TNumbers : struct, ITensorNumbers
        => default(TNumbers).Multiply(
            sums, TensorTile<TTile, TNumbers>.RowsOf(shared, stage, step, product.RowsAcross), TensorTile<TTile, TNumbers>.ColumnsOf(shared, stage, step, product.ColumnsAcross));

    /// <summary>The stage behind one.</summary>
    public static int Next<TTile, TNumbers>(int stage)
        where TTile : struct, ITensorTile
        where TNumbers : struct, ITensorNumbers
        => stage == (TensorTile<TTile, TNumbers>.Stages - 1) * TensorTile<TTile, TNumbers>.StageChunks ? 0 : stage + TensorTile<TTile, TNumbers>.StageChunks;

    /// <summary>Four tiles of 16×8, side by side.</summary>
    public static void Store<TProduct>(TProduct product, int row, int column, Sums16 s)
        where TProduct : struct, ITensorSums
    {
        product.Store(row, column, s.A0, s.A1);
        product.Store(row + 8, column, s.A2, s.A3);
        product.Store(row, column + 8, s.B0, s.B1);
        product.Store(row + 8, column + 8, s.B2, s.B3);
        product.Store(row, column + 16, s.C0, s.C1);
        product.Store(row + 8, column + 16, s.C2, s.C3);
        product.Store(row, column + 24, s.D0, s.D1);
        product.Store(row + 8, column + 24, s.D2, s.D3);
    }

    /// <summary>The largest of two rows of s and two of t, of 32 columns.</summary>
    public static void StoreLargest<TProduct>(TProduct product, int window, int column, Sums16 s, Sums16 t)
        where TProduct : struct, ITensorProduct
    {
        product.Store(window, column, Largest(s.A0, s.A2, t.A0, t.A2), Largest(s.A1, s.A3, t.A1, t.A3));
        product.Store(window, column + 8, Largest(s.B0, s.B2, t.B0, t.B2), Largest(s.B1, s.B3, t.B1, t.B3));
        product.Store(window, column + 16, Largest(s.C0, s.C2, t.C0, t.C2), Largest(s.C1, s.C3, t.C1, t.C3));
        product.Store(window, column + 24, Largest(s.D0, s.D2, t.D0, t.D2), Largest(s.D1, s.D3, t.D1, t.D3));
    }

    /// <summary>NaN where one of them is.</summary>
    public static float Largest(float a, float b, float c, float d) => Larger(Larger(a, b), Larger(c, d));

    private static float Larger(float a, float b) => a >= b || float.IsNaN(a) ? a : b;
}
