using System.Runtime.CompilerServices;

namespace IlgpuNetVlad.Kernels;

/// <summary>A matrix as a product takes it.</summary>
/// <param name="Values">Its first number.</param>
/// <param name="Stride">Numbers from one line to the next.</param>
/// <param name="AlongK">Whether a line lies along k; else each line is a step of k.</param>
public readonly unsafe record struct ProductOperand<T>(nint Values, long Stride, bool AlongK)
    where T : unmanaged
{
    public ProductOperand(T* values, long stride, bool alongK)
        : this((nint)values, stride, alongK)
    {
    }
}

/// <summary>
/// Products of large matrices (Goto and van de Geijn, ACM TOMS 34, 2008): 2048 steps of k at a time, both operands are packed into panels that all threads share; then each task has a block
/// of C, 240 × 256 in fp32, whose sums stay in the second-level cache (240 KB) while pieces of 256 steps pass: of A a block of 240 KB beside them, of B panels of 32 KB, in tiles of
/// <see cref="PackedTile{T}"/>. Packing costs (M + N)·K moves for M·N·K multiply-adds; C is read and written once for 2048 steps. A number's sum runs over k in order within a piece and
/// over the pieces in order, whatever the blocks.
/// </summary>
/// <typeparam name="T">float or double.</typeparam>
/// <param name="c">[m][n], rows <paramref name="stride"/> numbers apart.</param>
/// <param name="first">What the first piece makes of c…</param>
/// <param name="then">…and each piece behind it.</param>
/// <param name="upper">Only tiles that hold something of the upper triangle are computed.</param>
/// <param name="packed">Room for <see cref="PackedLength"/> numbers.</param>
internal readonly unsafe struct PackedProduct<T>(
    int m, int n, int k, ProductOperand<T> a, ProductOperand<T> b, T* c, long stride, TileStart first, TileStart then, bool upper, T* packed)
    where T : unmanaged
{
    /// <summary>Steps of k in a piece, and in those that are packed together.</summary>
    private const int Piece = 256, Together = 8 * Piece;

    /// <summary>Columns of C in a task, and bytes of C: what its rows fill.</summary>
    private const int Columns = 256, BlockBytes = 240 * Columns * sizeof(float);

    private static int RowPanels(int m) => (m + PackedTile<T>.Rows - 1) / PackedTile<T>.Rows;

    private static int ColumnPanels(int n) => (n + PackedTile<T>.Columns - 1) / PackedTile<T>.Columns;

    /// <summary>Panels of A in a task at the most.</summary>
    private static int MostPanels => BlockBytes / sizeof(T) / Columns / PackedTile<T>.Rows;

    private static int RowBlocks(int m) => (RowPanels(m) + MostPanels - 1) / MostPanels;

    private static int ColumnBlocks(int n) => (n + Columns - 1) / Columns;

    /// <summary>Numbers of both operands' panels.</summary>
    public static long PackedLength(int m, int n, int k) => ((long)RowPanels(m) * PackedTile<T>.Rows + (long)ColumnPanels(n) * PackedTile<T>.Columns) * Math.Min(k, Together);

    public void Run(Device device)
    {
        for (int start = 0; start < k; start += Together)
        {
            device.RunHost(RowPanels(m) + ColumnPanels(n), new PackTask(this, start));
            device.RunHost(RowBlocks(m) * ColumnBlocks(n), new MultiplyTask(this, start));
        }
    }

    /// <summary>One panel of A or of B.</summary>
    private readonly struct PackTask(PackedProduct<T> product, int start) : IHostTask
    {
        public void Run(int tile, int worker) => product.Pack(tile, start);
    }

    /// <summary>One block of C.</summary>
    private readonly struct MultiplyTask(PackedProduct<T> product, int start) : IHostTask
    {
        public void Run(int tile, int worker) => product.Multiply(tile, start);
    }

    /// <summary>Steps that are packed from <paramref name="start"/> on.</summary>
    private int Steps(int start) => Math.Min(Together, k - start);

    private long PaddedRows => (long)RowPanels(m) * PackedTile<T>.Rows;

    private long PaddedColumns => (long)ColumnPanels(n) * PackedTile<T>.Columns;

    private void Pack(int tile, int start)
    {
        int panels = RowPanels(m), steps = Steps(start);
        if (tile < panels)
            Pack(a, m, tile, PackedTile<T>.Rows, start, steps, packed, PaddedRows);
        else
            Pack(b, n, tile - panels, PackedTile<T>.Columns, start, steps, packed + PaddedRows * steps, PaddedColumns);
    }

    /// <summary>Of each piece one panel: a piece's panels stand behind each other, so that a block of them fills the cache's sets evenly.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Pack(in ProductOperand<T> operand, int lines, int panel, int width, int start, int steps, T* to, long padded)
    {
        int line = panel * width, used = Math.Min(width, lines - line);
        var values = (T*)operand.Values;
        for (int piece = 0; piece < steps; piece += Piece)
        {
            int depth = Math.Min(Piece, steps - piece), step = start + piece;
            T* place = to + piece * padded + (long)line * depth;
            if (operand.AlongK)
                PackedPanel.FromRows(values + line * operand.Stride + step, operand.Stride, used, place, width, depth);
            else
                PackedPanel.FromSteps(values + step * operand.Stride + line, operand.Stride, used, place, width, depth);
        }
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Multiply(int tile, int start)
    {
        T* sums = stackalloc T[BlockBytes / sizeof(T)];
        int steps = Steps(start), rowBlock = tile / ColumnBlocks(n), blocks = RowBlocks(m), panels = RowPanels(m);
        int firstPanel = (int)((long)panels * rowBlock / blocks), endPanel = (int)((long)panels * (rowBlock + 1) / blocks);
        int firstColumn = tile % ColumnBlocks(n) * Columns, endColumn = Math.Min(n, firstColumn + Columns);
        var mode = start == 0 ? first : then;
        bool direct = steps <= Piece;
        if (!direct && mode != TileStart.Zero)
            Move(sums, firstPanel, endPanel, firstColumn, endColumn, toC: false);
        for (int piece = 0; piece < steps; piece += Piece, mode = then)
        {
            int depth = Math.Min(Piece, steps - piece);
            T* left = packed + piece * PaddedRows, right = packed + PaddedRows * steps + piece * PaddedColumns;
            if (direct)
                Direct(left, right, depth, firstPanel, endPanel, firstColumn, endColumn, mode, sums);
            else
                Piecewise(left, right, depth, firstPanel, endPanel, firstColumn, endColumn, mode, sums);
        }
        if (!direct)
            Move(sums, firstPanel, endPanel, firstColumn, endColumn, toC: true);
    }

    /// <summary>The panels of A from which on nothing of the wanted triangle stands in a panel of columns.</summary>
    private int End(int endPanel, int column) => upper ? Math.Min(endPanel, (column + PackedTile<T>.Columns - 1) / PackedTile<T>.Rows + 1) : endPanel;

    /// <summary>Sums tile by tile in the cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Piecewise(T* left, T* right, int depth, int firstPanel, int endPanel, int firstColumn, int endColumn, TileStart mode, T* sums)
    {
        int rows = PackedTile<T>.Rows, columns = PackedTile<T>.Columns, size = rows * columns;
        int share = PackedTile<T>.Ahead(endPanel - firstPanel, depth);
        for (int column = firstColumn; column < endColumn; column += columns, sums += (endPanel - firstPanel) * size)
        {
            T* panelOfB = right + (long)column * depth, next = panelOfB + columns * depth;
            for (int i = firstPanel; i < End(endPanel, column); i++, next += share)
            {
                T* to = sums + (i - firstPanel) * size;
                if (share > 0)
                    PackedTile<T>.Prefetch(next, share, to);
                PackedTile<T>.Multiply(left + (long)i * rows * depth, panelOfB, depth, to, columns, mode, share > 0 ? next : null);
            }
        }
    }

    /// <summary>One piece alone: its tiles go to c itself; those at its edges through <paramref name="edge"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Direct(T* left, T* right, int depth, int firstPanel, int endPanel, int firstColumn, int endColumn, TileStart mode, T* edge)
    {
        int rows = PackedTile<T>.Rows, columns = PackedTile<T>.Columns;
        for (int column = firstColumn; column < endColumn; column += columns)
            for (int i = firstPanel; i < End(endPanel, column); i++)
            {
                int row = i * rows;
                T* to = c + row * stride + column, panelOfA = left + (long)row * depth, panelOfB = right + (long)column * depth;
                if (row + rows <= m && column + columns <= n)
                {
                    if (row + 2 * rows <= m)
                        PackedTile<T>.Prefetch(to + rows * stride, (nint)stride);
                    PackedTile<T>.Multiply(panelOfA, panelOfB, depth, to, (nint)stride, mode);
                    continue;
                }
                int high = Math.Min(rows, m - row), wide = Math.Min(columns, n - column);
                if (mode != TileStart.Zero)
                    Copy(to, stride, edge, columns, high, wide);
                PackedTile<T>.Multiply(panelOfA, panelOfB, depth, edge, columns, mode);
                Copy(edge, columns, to, stride, high, wide);
            }
    }

    /// <summary>Between c and the sums of a block, whose tiles stand behind each other.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Move(T* sums, int firstPanel, int endPanel, int firstColumn, int endColumn, bool toC)
    {
        int rows = PackedTile<T>.Rows, columns = PackedTile<T>.Columns, size = rows * columns;
        for (int column = firstColumn; column < endColumn; column += columns, sums += (endPanel - firstPanel) * size)
            for (int i = firstPanel; i < End(endPanel, column); i++)
            {
                int high = Math.Min(rows, m - i * rows), wide = Math.Min(columns, n - column);
                T* tile = sums + (i - firstPanel) * size, place = c + i * rows * stride + column;
                if (toC)
                    Copy(tile, columns, place, stride, high, wide);
                else
                    Copy(place, stride, tile, columns, high, wide);
            }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Copy(T* from, long fromStride, T* to, long toStride, int rows, int columns)
    {
        for (int i = 0; i < rows; i++)
            PackedPanel.Copy(from + i * fromStride, to + i * toStride, columns);
    }
}
