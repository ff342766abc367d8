using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// The large block tile of the Simt products (<see cref="SimtProduct"/>): 128×128 of C by 256 threads, 8×8 each, k in steps of 8, of which two lie in shared memory, A and B [k][132] each: 16.9 KB.
/// <code>
/// of a thread       rows 4i … 4i + 3 and 64 further, columns 4j … 4j + 3 and 64 further: each read is of 16 bytes
/// of a warp         4 of the i and 8 of the j: eight threads that read at once read one four of A, or eight neighbouring fours of B, all 32 banks
/// [k][132]          where four numbers of a thread lie along k in memory, it stores them one below the other: 16 lines by two fours of k in a warp, and 4·132 = 16 (mod 32) keeps them in 32 banks
/// registers         64 sums, 16 of A and B, 8 to 12 on their way to the next step: at most 128, so that a multiprocessor holds two blocks
/// </code>
/// A k of a thread is 16 numbers from shared memory in 4 reads, for 64 multiply-adds; of a tile (128 + 128) · 4 B from L2 for 128·128·2 FLOP: 32 FLOP a byte. <see cref="SimtTile"/> has 8 numbers in 8 reads for 16, and 8 FLOP a byte.
/// </summary>
internal static class SimtLargeTile
{
    public const int Side = 128, Depth = 8, Threads = 256;

    /// <summary>Fours from one k to the next.</summary>
    public const int Pitch = Side / 4 + 1;

    /// <summary>Fours of A in a step, behind which B stands; of a step.</summary>
    public const int AFours = Depth * Pitch, StageFours = 2 * AFours;

    public const string Name = "simt-128x128x8";

    public static KernelSpecialization Bounds => new(Threads, 2);

    // Shifts, not divisions, which round towards zero and take registers that the sums need.

    /// <summary>Which four rows of the tile are this thread's first; its others stand 64 rows further.</summary>
    public static int ThreadRows => (Group.IdxX >> 6) * 4 + (Group.IdxX >> 3 & 3);

    /// <summary>Which four columns are its first; its others stand 64 columns further.</summary>
    public static int ThreadColumns => (Group.IdxX >> 5 & 1) * 8 + (Group.IdxX & 7);

    /// <summary>Row, or column, of the four numbers that this thread loads; the first of four where they lie across k.</summary>
    public static int LoadLine(bool across) => across ? (Group.IdxX & 31) * 4 : Group.IdxX >> 1;

    /// <summary>Their k in the step, or the first one's.</summary>
    public static int LoadDepth(bool across) => across ? Group.IdxX >> 5 : (Group.IdxX & 1) * 4;

    /// <summary>Why it is not made for so many columns, or null.</summary>
    public static string? Refuses(int columns) => columns < Side / 2 ? $"takes {Side / 2} columns or more" : null;

    /// <summary>
    /// Why <see cref="SimtTile"/> is sooner done, or null: fewer large tiles than an H100 has multiprocessors, or more than a third of them empty. By the shape alone. Both tiles sum over k in order, so no
    /// result shows which one it came from.
    /// </summary>
    /// <param name="products">As many products of this size.</param>
    public static string? Leaves(long rows, int columns, long products = 1)
    {
        long large = (rows + Side - 1) / Side * ((columns + Side - 1) / Side), small = (rows + SimtTile.Rows - 1) / SimtTile.Rows * ((columns + SimtTile.Columns - 1) / SimtTile.Columns);
        if (large * products < 132)
            return "would have too few tiles";
        return 2 * large * (Side / SimtTile.Rows) * (Side / SimtTile.Columns) > 3 * small ? "would leave its tiles too empty" : null;
    }

    /// <summary>The blocks of a product.</summary>
    /// <param name="products">As many, one behind the other.</param>
    public static KernelConfig Blocks(int rows, int columns, int products = 1)
        => new(new Index3D((rows + Side - 1) / Side, (columns + Side - 1) / Side, products), new Index3D(Threads, 1, 1));
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
