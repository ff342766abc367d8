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

    /// <summary>What this thread loads of A next (<see cref="SimtLargeTile{TTile}.RowLine"/>, <see cref="SimtLargeTile{TTile}.RowDepth"/>): zeros beyond the last row and k. Without a branch, behind which it would wait for what it reads.</summary>
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
/// C = A·B in fp32, one tile of <see cref="SimtLargeTile{TTile}"/>: each thread loads its part of the next step's A into registers, multiplies half of the step that is there, and stores
/// what has come into the other half of shared memory (in two parts, with a quarter of the step each, where it has two fours of A); then the same for B. One barrier a step. Sums run over k in order, one multiply-add each, as those of <see cref="SimtTile"/>.
/// </summary>
internal static class SimtProduct
{
    public static void Run<TProduct, TTile>(TProduct product)
        where TProduct : struct, ISimtProduct
        where TTile : struct, ISimtTile
    {
        var shared = SharedMemory.Allocate<Float4>(2 * SimtLargeTile<TTile>.StageFours);
        int steps = product.Steps, stage = 0;
        PutRows<TTile>(shared, stage, product.RowsAcross, 0, product.Rows(product.LoadRows()));
        if (SimtLargeTile<TTile>.RowLoads > 1)
            PutRows<TTile>(shared, stage, product.RowsAcross, 1, product.Rows(product.LoadRows()));
        PutColumns<TTile>(shared, stage, product.ColumnsAcross, product.Columns(product.LoadColumns()));
        Group.Barrier();
        var sums = new Sums8x8();
        for (int step = 0; step < steps; step++)
        {
            int rows = stage + SimtLargeTile<TTile>.ThreadRows, columns = stage + SimtLargeTile<TTile>.ThreadColumns;
            stage = SimtLargeTile<TTile>.StageFours - stage;
            var loaded = product.LoadRows();
            sums = Multiply<TTile>(sums, ref shared[rows], ref shared[columns], 0);
            if (SimtLargeTile<TTile>.RowLoads > 1)
            {
                PutRows<TTile>(shared, stage, product.RowsAcross, 0, product.Rows(loaded));
                loaded = product.LoadRows();
            }
            sums = Multiply<TTile>(sums, ref shared[rows], ref shared[columns], SimtLargeTile<TTile>.Depth / 4);
            PutRows<TTile>(shared, stage, product.RowsAcross, SimtLargeTile<TTile>.RowLoads - 1, product.Rows(loaded));
            loaded = product.LoadColumns();
            sums = Multiply<TTile>(sums, ref shared[rows], ref shared[columns], SimtLargeTile<TTile>.Depth / 2);
            sums = Multiply<TTile>(sums, ref shared[rows], ref shared[columns], SimtLargeTile<TTile>.Depth / 4 * 3);
            PutColumns<TTile>(shared, stage, product.ColumnsAcross, product.Columns(loaded));
            Group.Barrier();
        }
        Store<TProduct, TTile>(product, sums);
    }

    /// <summary>Two k, of which the first is a constant.</summary>
    private static Sums8x8 Multiply<TTile>(Sums8x8 sums, ref Float4 rows, ref Float4 columns, int k)
        where TTile : struct, ISimtTile
        => Add<TTile>(Add<TTile>(sums, ref rows, ref columns, k), ref rows, ref columns, k + 1);

    private static Sums8x8 Add<TTile>(Sums8x8 sums, ref Float4 rows, ref Float4 columns, int k)
        where TTile : struct, ISimtTile
        => OuterProduct.Add(
            sums, OuterProduct.Load(ref rows, k * SimtLargeTile<TTile>.RowPitch, SimtLargeTile<TTile>.Rows / 8),
            OuterProduct.Load(ref columns, SimtLargeTile<TTile>.AFours + k * SimtLargeTile<TTile>.ColumnPitch, SimtLargeTile<TTile>.Columns / 8));

    /// <param name="load">Which of a thread's loads, a constant.</param>
    private static void PutRows<TTile>(ArrayView<Float4> shared, int stage, bool across, int load, Float4 four)
        where TTile : struct, ISimtTile
    {
        int line = SimtLargeTile<TTile>.RowLine(across), place = load * (SimtLargeTile<TTile>.Depth / SimtLargeTile<TTile>.RowLoads) * SimtLargeTile<TTile>.RowPitch;
        if (across)
            OuterProduct.Store(ref shared[stage + SimtLargeTile<TTile>.RowDepth(true) * SimtLargeTile<TTile>.RowPitch + (line >> 2)], place, four);
        else
            OuterProduct.StoreDown(ref shared.Cast<float>()[4 * (stage + SimtLargeTile<TTile>.RowDepth(false) * SimtLargeTile<TTile>.RowPitch) + line], 4 * place, four, 4 * SimtLargeTile<TTile>.RowPitch);
    }

    private static void PutColumns<TTile>(ArrayView<Float4> shared, int stage, bool across, Float4 four)
        where TTile : struct, ISimtTile
    {
        int line = SimtLargeTile<TTile>.ColumnLine(across);
        if (across)
            OuterProduct.Store(ref shared[stage + SimtLargeTile<TTile>.ColumnDepth(true) * SimtLargeTile<TTile>.ColumnPitch + (line >> 2)], SimtLargeTile<TTile>.AFours, four);
        else
            OuterProduct.StoreDown(
                ref shared.Cast<float>()[4 * (stage + SimtLargeTile<TTile>.ColumnDepth(false) * SimtLargeTile<TTile>.ColumnPitch) + line], 4 * SimtLargeTile<TTile>.AFours, four, 4 * SimtLargeTile<TTile>.ColumnPitch);
    }

    private static void Store<TProduct, TTile>(TProduct product, Sums8x8 sums)
        where TProduct : struct, ISimtProduct
        where TTile : struct, ISimtTile
    {
        const int half = SimtLargeTile<TTile>.Rows / 2;
        int row = Grid.IdxX * SimtLargeTile<TTile>.Rows + 4 * SimtLargeTile<TTile>.ThreadRows, column = Grid.IdxY * SimtLargeTile<TTile>.Columns + 4 * SimtLargeTile<TTile>.ThreadColumns;
        if (product.Pools)
        {
            Store<TProduct, TTile>(product, row >> 2, column, Largest(sums.R0, sums.R1, sums.R2, sums.R3));
            Store<TProduct, TTile>(product, (row >> 2) + half / 4, column, Largest(sums.R4, sums.R5, sums.R6, sums.R7));
            return;
        }
        Store<TProduct, TTile>(product, row, column, sums.R0);
        Store<TProduct, TTile>(product, row + 1, column, sums.R1);
        Store<TProduct, TTile>(product, row + 2, column, sums.R2);
        Store<TProduct, TTile>(product, row + 3, column, sums.R3);
        Store<TProduct, TTile>(product, row + half, column, sums.R4);
        Store<TProduct, TTile>(product, row + half + 1, column, sums.R5);
        Store<TProduct, TTile>(product, row + half + 2, column, sums.R6);
        Store<TProduct, TTile>(product, row + half + 3, column, sums.R7);
    }

    private static void Store<TProduct, TTile>(TProduct product, int row, int column, Float8 sums)
        where TProduct : struct, ISimtProduct
        where TTile : struct, ISimtTile
    {
        product.Store(row, column, sums.Low);
        product.Store(row, column + SimtLargeTile<TTile>.Columns / 2, sums.High);
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
