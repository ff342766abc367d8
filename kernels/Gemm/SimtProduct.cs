using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>Four numbers of A or of B, and where ReLU's mask lies on them the four of y that say where.</summary>
internal struct SimtFour
{
    public Float4 Values, Y;

    /// <summary>A gradient where y is not ≤ 0, else 0.</summary>
    /// <param name="relu">0: there is no mask.</param>
    public readonly Float4 Masked(int relu) => new()
    {
        X = relu != 0 && Y.X <= 0 ? 0 : Values.X,
        Y = relu != 0 && Y.Y <= 0 ? 0 : Values.Y,
        Z = relu != 0 && Y.Z <= 0 ? 0 : Values.Z,
        W = relu != 0 && Y.W <= 0 ? 0 : Values.W,
    };
}

/// <summary>A product for <see cref="SimtProduct"/>: where its operands come from, and where its sums go. A thread keeps its place in the fields.</summary>
internal interface ISimtProduct
{
    /// <summary>Steps of k of this block; not positive where there are none.</summary>
    int Steps { get; }

    /// <summary>Whether the rows of a k are neighbours in memory; the k of a row otherwise.</summary>
    bool RowsAcross { get; }

    /// <summary>Whether the columns of a k are neighbours in memory.</summary>
    bool ColumnsAcross { get; }

    /// <summary>Whether the largest of four rows that follow each other is stored instead of each, a constant.</summary>
    bool Pools { get; }

    /// <summary>What this thread loads of A for the next step (<see cref="SimtLargeTile.LoadLine"/>, <see cref="SimtLargeTile.LoadDepth"/>): zeros beyond the last row and k. Without a branch, behind which it would wait for what it reads.</summary>
    SimtFour LoadRows();

    /// <summary>The same of B; the step after that is then the next.</summary>
    SimtFour LoadColumns();

    /// <summary>What was loaded of A with ReLU's mask applied. Apart from loading, so that nothing waits for y before a product.</summary>
    Float4 Rows(SimtFour loaded);

    /// <summary>The same of B.</summary>
    Float4 Columns(SimtFour loaded);

    /// <summary>Takes the sums of four neighbouring columns; row and columns may lie beyond the last.</summary>
    void Store(int row, int column, Float4 sums);
}

/// <summary>
/// C = A·B in fp32, one tile of <see cref="SimtLargeTile"/>: each thread loads its part of the next step's A into registers, multiplies half of the step that is there, and stores
/// what has come into the other half of shared memory; then the same for B. One barrier a step. Sums run over k in order, one multiply-add each, as those of <see cref="SimtTile"/>.
/// </summary>
internal static class SimtProduct
{
    public static void Run<TProduct>(TProduct product)
        where TProduct : struct, ISimtProduct
    {
        var shared = SharedMemory.Allocate<Float4>(2 * SimtLargeTile.StageFours);
        int steps = product.Steps, stage = 0;
        Put(shared, stage, product.RowsAcross, 0, product.Rows(product.LoadRows()));
        Put(shared, stage, product.ColumnsAcross, SimtLargeTile.AFours, product.Columns(product.LoadColumns()));
        Group.Barrier();
        var sums = new Sums8x8();
        for (int step = 0; step < steps; step++)
        {
            int rows = stage + SimtLargeTile.ThreadRows, columns = stage + SimtLargeTile.ThreadColumns;
            stage = SimtLargeTile.StageFours - stage;
            var loaded = product.LoadRows();
            sums = Multiply(sums, ref shared[rows], ref shared[columns], 0);
            Put(shared, stage, product.RowsAcross, 0, product.Rows(loaded));
            loaded = product.LoadColumns();
            sums = Multiply(sums, ref shared[rows], ref shared[columns], SimtLargeTile.Depth / 2);
            Put(shared, stage, product.ColumnsAcross, SimtLargeTile.AFours, product.Columns(loaded));
            Group.Barrier();
        }
        Store(product, sums);
    }

    /// <summary>Four k, of which the first is a constant.</summary>
    private static Sums8x8 Multiply(Sums8x8 sums, ref Float4 rows, ref Float4 columns, int k)
    {
        sums = Add(sums, ref rows, ref columns, k * SimtLargeTile.Pitch);
        sums = Add(sums, ref rows, ref columns, (k + 1) * SimtLargeTile.Pitch);
        sums = Add(sums, ref rows, ref columns, (k + 2) * SimtLargeTile.Pitch);
        return Add(sums, ref rows, ref columns, (k + 3) * SimtLargeTile.Pitch);
    }

    private static Sums8x8 Add(Sums8x8 sums, ref Float4 rows, ref Float4 columns, int place)
        => OuterProduct.Add(sums, OuterProduct.Load(ref rows, place), OuterProduct.Load(ref columns, SimtLargeTile.AFours + place));

    /// <param name="tile">0 for A, or where B stands in a stage, a constant.</param>
    private static void Put(ArrayView<Float4> shared, int stage, bool across, int tile, Float4 four)
    {
        if (across)
            OuterProduct.Store(ref shared[stage + SimtLargeTile.LoadDepth(true) * SimtLargeTile.Pitch + (Group.IdxX & 31)], tile, four);
        else
            OuterProduct.StoreDown(ref shared.Cast<float>()[4 * (stage + SimtLargeTile.LoadDepth(false) * SimtLargeTile.Pitch) + SimtLargeTile.LoadLine(false)], 4 * tile, four, 4 * SimtLargeTile.Pitch);
    }

    private static void Store<TProduct>(TProduct product, Sums8x8 sums)
        where TProduct : struct, ISimtProduct
    {
        int row = Grid.IdxX * SimtLargeTile.Side + 4 * SimtLargeTile.ThreadRows, column = Grid.IdxY * SimtLargeTile.Side + 4 * SimtLargeTile.ThreadColumns;
        if (product.Pools)
        {
            Store(product, row >> 2, column, Largest(sums.R0, sums.R1, sums.R2, sums.R3));
            Store(product, (row >> 2) + OuterProduct.HalfFours, column, Largest(sums.R4, sums.R5, sums.R6, sums.R7));
            return;
        }
        Store(product, row, column, sums.R0);
        Store(product, row + 1, column, sums.R1);
        Store(product, row + 2, column, sums.R2);
        Store(product, row + 3, column, sums.R3);
        Store(product, row + 4 * OuterProduct.HalfFours, column, sums.R4);
        Store(product, row + 4 * OuterProduct.HalfFours + 1, column, sums.R5);
        Store(product, row + 4 * OuterProduct.HalfFours + 2, column, sums.R6);
        Store(product, row + 4 * OuterProduct.HalfFours + 3, column, sums.R7);
    }

    private static void Store<TProduct>(TProduct product, int row, int column, Float8 sums)
        where TProduct : struct, ISimtProduct
    {
        product.Store(row, column, sums.Low);
        product.Store(row, column + 4 * OuterProduct.HalfFours, sums.High);
    }

    private static Float8 Largest(Float8 a, Float8 b, Float8 c, Float8 d) => new() { Low = Largest(a.Low, b.Low, c.Low, d.Low), High = Largest(a.High, b.High, c.High, d.High) };

    private static Float4 Largest(Float4 a, Float4 b, Float4 c, Float4 d) => new()
    {
        X = TensorProduct.Largest(a.X, b.X, c.X, d.X),
        Y = TensorProduct.Largest(a.Y, b.Y, c.Y, d.Y),
        Z = TensorProduct.Largest(a.Z, b.Z, c.Z, d.Z),
        W = TensorProduct.Largest(a.W, b.W, c.W, d.W),
    };
}
