using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// A large block tile of the Simt products (<see cref="SimtProduct"/>): 128×128 of C by 256 threads or 128×64 by 128, 8×8 each, k in steps of 8, of which two lie in shared memory, A and B [k][132] or [k][68]: 16.9 or 12.8 KB.
/// <code>
/// of a thread       rows 4i … 4i + 3 and 64 further, columns 4j … 4j + 3 and half of the tile further: each read is of 16 bytes
/// of a warp         4 of the i and 8 of the j: eight threads that read at once read one four of A, or eight neighbouring fours of B, all 32 banks
/// [k][132]          where four numbers of a thread lie along k in memory, it stores them one below the other: 16 lines by two fours of k in a warp, and 4·132 = 16 (mod 32) keeps them in 32 banks; with 128 threads 32 lines of one k
/// registers         64 sums, 16 of A and B, 8 to 12 on their way to the next step: at most 128, so that a multiprocessor holds two blocks, or four
/// </code>
/// A k of a thread is 16 numbers from shared memory in 4 reads, for 64 multiply-adds; of a tile (128 + 128) · 4 B from L2 for 128·128·2 FLOP: 32 FLOP a byte, 21 with 64 columns. <see cref="SimtTile"/> has 8 numbers in 8 reads for 16, and 8 FLOP a byte.
/// With 128 threads each has two fours of a step's A, one for each half of the step.
/// </summary>
internal static class SimtLargeTile<TTile>
    where TTile : struct, ISimtTile
{
    public const int Rows = 128, Depth = 8;

    /// <summary>Fours from one k of A to the next.</summary>
    public const int RowPitch = Rows / 4 + 1;

    /// <summary>Fours of A in a step, behind which B stands.</summary>
    public const int AFours = Depth * RowPitch;

    public static int Columns => default(TTile).Columns;

    public static int Threads => 2 * Columns;

    /// <summary>Fours of a step's A that a thread loads.</summary>
    public static int RowLoads => 256 / Threads;

    /// <summary>Fours from one k of B to the next.</summary>
    public static int ColumnPitch => Columns / 4 + 1;

    /// <summary>Fours of a step.</summary>
    public static int StageFours => AFours + Depth * ColumnPitch;

    /// <summary>Such as <c>simt-128x128x8</c>.</summary>
    public static string Name => $"simt-{Rows}x{Columns}x{Depth}";

    public static KernelSpecialization Bounds => new(Threads, 512 / Threads);

    // Shifts, not divisions, which round towards zero and take registers that the sums need.

    /// <summary>Which four rows of the tile are this thread's first; its others stand 64 rows further.</summary>
    public static int ThreadRows => (Columns == 128 ? Group.IdxX >> 6 : Group.IdxX >> 5) * 4 + (Group.IdxX >> 3 & 3);

    /// <summary>Which four columns are its first; its others stand half of the tile further.</summary>
    public static int ThreadColumns => (Columns == 128 ? (Group.IdxX >> 5 & 1) * 8 : 0) + (Group.IdxX & 7);

    /// <summary>Row of the four numbers of A that this thread loads; the first of four where they lie across k.</summary>
    public static int RowLine(bool across) => across ? (Group.IdxX & 31) * 4 : Columns == 128 ? Group.IdxX >> 1 : Group.IdxX;

    /// <summary>Their k in the step, or the first one's; those that it loads next stand 8 / <see cref="RowLoads"/> further.</summary>
    public static int RowDepth(bool across) => across ? Group.IdxX >> 5 : Columns == 128 ? (Group.IdxX & 1) * 4 : 0;

    /// <summary>Column of the four numbers of B that this thread loads; the first of four where they lie across k.</summary>
    public static int ColumnLine(bool across) => across ? (Group.IdxX & Columns / 4 - 1) * 4 : Group.IdxX >> 1;

    /// <summary>Their k in the step, or the first one's.</summary>
    public static int ColumnDepth(bool across) => across ? Columns == 128 ? Group.IdxX >> 5 : Group.IdxX >> 4 : (Group.IdxX & 1) * 4;

    /// <summary>Why it is not made for so many columns, or null.</summary>
    public static string? Refuses(int columns) => columns < 64 ? "takes 64 columns or more" : null;

    /// <summary>
    /// Why another tile is sooner done, or null: fewer tiles than give each multiprocessor of an H100 256 threads, more than a third of them empty, or, of the narrow tile, hardly fewer empty columns than the wide one has (it
    /// computes less by a fifth where it is taken). By the shape alone. All tiles sum over k in order, so no result shows which one it came from.
    /// </summary>
    /// <param name="products">As many products of this size.</param>
    public static string? Leaves(long rows, int columns, long products = 1)
    {
        long across = (columns + Columns - 1) / Columns, large = (rows + Rows - 1) / Rows * across, small = (rows + SimtTile.Rows - 1) / SimtTile.Rows * ((columns + SimtTile.Columns - 1) / SimtTile.Columns);
        if (large * products * Threads < 132 * 256)
            return "would have too few tiles";
        if (Columns < 128 && 5 * across * Columns > 4 * ((columns + 127) / 128 * 128))
            return "a tile of 128 columns suits these";
        return 2 * large * (Rows / SimtTile.Rows) * (Columns / SimtTile.Columns) > 3 * small ? "would leave its tiles too empty" : null;
    }

    /// <summary>The blocks of a product.</summary>
    /// <param name="products">As many, one behind the other.</param>
    public static KernelConfig Blocks(int rows, int columns, int products = 1)
        => new(new Index3D((rows + Rows - 1) / Rows, (columns + Columns - 1) / Columns, products), new Index3D(Threads, 1, 1));
}

/// <summary>Whether a product's A, B and C are read and written 16 bytes at a time (1) or number by number (0). No result depends on it.</summary>
internal readonly record struct SimtVectors(int A, int B, int C)
{
    /// <summary>1 where a view begins at a multiple of 16 bytes, and what follows it does so too.</summary>
    /// <param name="steps">Numbers from one place to another that is read or written.</param>
    public static int Of(ArrayView<float> view, params ReadOnlySpan<int> steps)
    {
        foreach (int step in steps)
            if (step % 4 != 0)
                return 0;
        return view.LoadEffectiveAddressAsPtr() % 16 == 0 ? 1 : 0;
    }
}
