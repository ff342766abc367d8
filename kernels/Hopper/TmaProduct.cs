using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>A convolution for <see cref="TmaProduct"/>: where its boxes lie, and where its sums go.</summary>
internal interface ITmaProduct : ITensorSums
{
    /// <summary>Steps of 64 channels of k.</summary>
    int Blocks { get; }

    /// <summary>Rows of the kernel, 1 to <see cref="TmaTile.MostTaps"/>.</summary>
    int TapRows { get; }

    /// <summary>Columns of the kernel.</summary>
    int TapColumns { get; }

    /// <summary>Whether the columns of a k are neighbours, in two panels of 64, instead of the k of a column; a constant.</summary>
    bool ColumnsAcross { get; }

    /// <summary>Rows of pixels by which a tap lies below the first row of the box.</summary>
    int Below(int tapRow);

    /// <summary>Lets this thread's copies read the tensor maps.</summary>
    void Acquire();

    /// <summary>Starts the copy of the pixels that the taps of a column of the kernel read: <see cref="TmaTile.Down"/> + TapRows − 1 rows.</summary>
    void StartRows(uint to, int block, int tapColumn, uint barrier);

    /// <summary>Starts the copies of a tap's weights, <see cref="TmaTile.ColumnsBytes"/> in all.</summary>
    void StartColumns(uint to, int block, int tapRow, int tapColumn, uint barrier);
}

/// <summary>
/// A convolution with wgmma whose operands come by TMA, one block tile (<see cref="TmaTile"/>). One thread copies; those that multiply never wait for one another, but for the bytes:
/// <code>
/// the thread that copies                                            each of the eight warps that multiply
/// for each block of 64 channels and column of the kernel
///   wait until a stage of rows is empty, start a box                 wait until it is full
///   for each row of the kernel
///     wait until a stage of columns is empty, start its boxes        wait until it is full, start the product
///                                                                    wait until the product before has ended, say that its stages are empty
/// </code>
/// </summary>
internal static class TmaProduct
{
    private const int Warps = TmaTile.Consumers / 32;

    public static void Run<TProduct>(TProduct product)
        where TProduct : struct, ITmaProduct
    {
        Wgmma.Open();
        var shared = SharedMemory.GetDynamic<Chunk>();
        uint start = Wgmma.Address(ref shared[0]);
        start += (uint)WgmmaTile.FirstStage(start) * 16;
        if (Group.IdxX == 0)
        {
            for (int i = 0; i < TmaTile.RowsStages; i++)
                Make(RowsFull(start, i), RowsEmpty(start, i));
            for (int i = 0; i < TmaTile.ColumnsStages; i++)
                Make(ColumnsFull(start, i), ColumnsEmpty(start, i));
            MemoryBarrier.Publish();
        }
        Group.Barrier();
        if (Group.IdxX < TmaTile.Consumers)
        {
            Multiply(product, start);
            int row = TmaTile.ThreadRow, column = Grid.IdxY * TmaTile.Columns + WgmmaTile.ThreadColumn;
            if (product.Pools)
            {
                StoreLargest(product, row, column, Wgmma.Sums(0));
                StoreLargest(product, row + 64, column, Wgmma.Sums(1));
            }
            else
            {
                WgmmaProduct.Store(product, row, column, Wgmma.Sums(0));
                WgmmaProduct.Store(product, row + 64, column, Wgmma.Sums(1));
            }
        }
        else if (Group.IdxX == TmaTile.Consumers)
        {
            Copy(product, start);
        }
    }

    private static void Copy<TProduct>(TProduct product, uint start)
        where TProduct : struct, ITmaProduct
    {
        product.Acquire();
        var rows = new TmaRing();
        var columns = new TmaRing();
        for (int block = 0; block < product.Blocks; block++)
            for (int tapColumn = 0; tapColumn < product.TapColumns; tapColumn++)
            {
                MemoryBarrier.Wait(RowsEmpty(start, rows.Stage), rows.Parity ^ 1);
                MemoryBarrier.Expect(RowsFull(start, rows.Stage), (TmaTile.Down + product.TapRows - 1) * TmaTile.LineBytes);
                product.StartRows(RowsOf(start, rows.Stage), block, tapColumn, RowsFull(start, rows.Stage));
                rows.Next(TmaTile.RowsStages);
                for (int tapRow = 0; tapRow < product.TapRows; tapRow++)
                {
                    MemoryBarrier.Wait(ColumnsEmpty(start, columns.Stage), columns.Parity ^ 1);
                    MemoryBarrier.Expect(ColumnsFull(start, columns.Stage), TmaTile.ColumnsBytes);
                    product.StartColumns(ColumnsOf(start, columns.Stage), block, tapRow, tapColumn, ColumnsFull(start, columns.Stage));
                    columns.Next(TmaTile.ColumnsStages);
                }
            }
    }

    private static void Multiply<TProduct>(TProduct product, uint start)
        where TProduct : struct, ITmaProduct
    {
        var rows = new TmaRing();
        var columns = new TmaRing();
        // One thread of a warp speaks for it: its warp's share of a product has ended for all 32.
        int speaks = Group.IdxX % 32 == 0 ? 1 : 0, steps = product.Blocks * product.TapColumns, rowsBefore = 0, columnsBefore = 0;
        for (int step = 0; step < steps; step++)
        {
            MemoryBarrier.Wait(RowsFull(start, rows.Stage), rows.Parity);
            for (int tapRow = 0; tapRow < product.TapRows; tapRow++)
            {
                MemoryBarrier.Wait(ColumnsFull(start, columns.Stage), columns.Parity);
                uint own = RowsOf(start, rows.Stage) + (uint)((Group.IdxX / 128 * (TmaTile.Down / 2) + product.Below(tapRow)) * TmaTile.LineBytes);
                Wgmma.Start(own, ColumnsOf(start, columns.Stage), 0, product.ColumnsAcross ? 1 : 0);
                Wgmma.WaitForAllButOne();
                MemoryBarrier.Arrive(ColumnsEmpty(start, columnsBefore), step + tapRow > 0 ? speaks : 0);
                MemoryBarrier.Arrive(RowsEmpty(start, rowsBefore), step > 0 && tapRow == 0 ? speaks : 0);
                columnsBefore = columns.Stage;
                columns.Next(TmaTile.ColumnsStages);
            }
            rowsBefore = rows.Stage;
            rows.Next(TmaTile.RowsStages);
        }
        Wgmma.WaitForAll();
    }

    /// <summary>The largest of 2×2 pixels, of 32 columns: this thread has the pixels of two rows, and the one whose lane differs by four their neighbours; each of the two stores half of the columns.</summary>
    private static void StoreLargest<TProduct>(TProduct product, int row, int column, Sums64 sums)
        where TProduct : struct, ITmaProduct
    {
        StoreLargest(product, row, column, sums.M0);
        StoreLargest(product, row, column + 32, sums.M1);
        StoreLargest(product, row, column + 64, sums.M2);
        StoreLargest(product, row, column + 96, sums.M3);
    }

    private static void StoreLargest<TProduct>(TProduct product, int row, int column, Sums16 s)
        where TProduct : struct, ITmaProduct
    {
        StoreLargest(product, row, column, PtxMath.Max(s.A0, s.A2), PtxMath.Max(s.A1, s.A3), PtxMath.Max(s.C0, s.C2), PtxMath.Max(s.C1, s.C3));
        StoreLargest(product, row, column + 8, PtxMath.Max(s.B0, s.B2), PtxMath.Max(s.B1, s.B3), PtxMath.Max(s.D0, s.D2), PtxMath.Max(s.D1, s.D3));
    }

    private static void StoreLargest<TProduct>(TProduct product, int row, int column, float left0, float left1, float right0, float right1)
        where TProduct : struct, ITmaProduct
    {
        bool odd = Group.IdxX / 4 % 2 == 1;
        float first = PtxMath.Max(odd ? right0 : left0, Warp.ShuffleXor(odd ? left0 : right0, 4));
        float second = PtxMath.Max(odd ? right1 : left1, Warp.ShuffleXor(odd ? left1 : right1, 4));
        product.Store(row, odd ? column + 16 : column, first, second);
    }

    /// <summary>Makes the mbarriers of a stage: full when the bytes have come that one thread expects, empty when all warps have said so.</summary>
    public static void Make(uint full, uint empty)
    {
        MemoryBarrier.Make(full, 1);
        MemoryBarrier.Make(empty, Warps);
    }

    private static uint RowsOf(uint start, int stage) => start + (uint)(stage * TmaTile.RowsBytes);

    private static uint ColumnsOf(uint start, int stage) => start + (uint)(TmaTile.RowsStages * TmaTile.RowsBytes + stage * TmaTile.ColumnsBytes);

    private static uint Barrier(uint start, int index) => start + (uint)(TmaTile.RowsStages * TmaTile.RowsBytes + TmaTile.ColumnsStages * TmaTile.ColumnsBytes + index * MemoryBarrier.Bytes);

    private static uint RowsFull(uint start, int stage) => Barrier(start, stage);

    private static uint RowsEmpty(uint start, int stage) => Barrier(start, TmaTile.RowsStages + stage);

    private static uint ColumnsFull(uint start, int stage) => Barrier(start, 2 * TmaTile.RowsStages + stage);

    private static uint ColumnsEmpty(uint start, int stage) => Barrier(start, 2 * TmaTile.RowsStages + TmaTile.ColumnsStages + stage);
}
