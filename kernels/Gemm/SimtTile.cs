using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// The block tile that the Simt products share: 32×32 of C by a group of 64 threads, 4×4 each in registers, k in steps of 16 through
/// two tiles in shared memory, stored [k][33] so that neither the loads nor the reads of a warp meet in a bank. ILGPU unrolls nothing and keeps
/// arrays in local memory, so the 16 sums are the fields of a struct, which travels in registers.
/// </summary>
internal struct SimtTile
{
    public const int Rows = 32, Columns = 32, Depth = 16, Pitch = 33, Threads = 64;

    /// <summary>Numbers that each thread loads of each shared tile.</summary>
    public const int Loads = Rows * Depth / Threads;

    public float C00, C01, C02, C03, C10, C11, C12, C13, C20, C21, C22, C23, C30, C31, C32, C33;

    /// <summary>First row of this thread's 4×4 in the tile.</summary>
    public static int ThreadRow => Group.IdxX / 8 * 4;

    /// <summary>First column of this thread's 4×4 in the tile.</summary>
    public static int ThreadColumn => Group.IdxX % 8 * 4;

    /// <summary>The sums after 16 more steps of k, in order.</summary>
    public static SimtTile Multiply(SimtTile c, ArrayView<float> a, ArrayView<float> b)
    {
        int row = ThreadRow, column = ThreadColumn;
        for (int k = 0; k < Depth; k++)
        {
            int at = k * Pitch + row, bt = k * Pitch + column;
            float a0 = a[at], a1 = a[at + 1], a2 = a[at + 2], a3 = a[at + 3];
            float b0 = b[bt], b1 = b[bt + 1], b2 = b[bt + 2], b3 = b[bt + 3];
            c.C00 = PtxMath.Fma(a0, b0, c.C00);
            c.C01 = PtxMath.Fma(a0, b1, c.C01);
            c.C02 = PtxMath.Fma(a0, b2, c.C02);
            c.C03 = PtxMath.Fma(a0, b3, c.C03);
            c.C10 = PtxMath.Fma(a1, b0, c.C10);
            c.C11 = PtxMath.Fma(a1, b1, c.C11);
            c.C12 = PtxMath.Fma(a1, b2, c.C12);
            c.C13 = PtxMath.Fma(a1, b3, c.C13);
            c.C20 = PtxMath.Fma(a2, b0, c.C20);
            c.C21 = PtxMath.Fma(a2, b1, c.C21);
            c.C22 = PtxMath.Fma(a2, b2, c.C22);
            c.C23 = PtxMath.Fma(a2, b3, c.C23);
            c.C30 = PtxMath.Fma(a3, b0, c.C30);
            c.C31 = PtxMath.Fma(a3, b1, c.C31);
            c.C32 = PtxMath.Fma(a3, b2, c.C32);
            c.C33 = PtxMath.Fma(a3, b3, c.C33);
        }
        return c;
    }

    /// <summary>Row i of this thread's 4×4, columns 0 to 3.</summary>
    public static (float, float, float, float) Row(SimtTile c, int i)
        => i == 0 ? (c.C00, c.C01, c.C02, c.C03) : i == 1 ? (c.C10, c.C11, c.C12, c.C13) : i == 2 ? (c.C20, c.C21, c.C22, c.C23) : (c.C30, c.C31, c.C32, c.C33);
}
