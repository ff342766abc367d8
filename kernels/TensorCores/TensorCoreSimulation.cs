using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>What the instructions of <see cref="TensorCore"/> do to a simulated warp, in the layouts of fragments that the PTX ISA gives.</summary>
internal static unsafe class TensorCoreSimulation
{
    /// <summary>Rows, or columns, of a warp's share that one thread has sums of.</summary>
    private const int Own = 8;

    /// <summary>Shown to the warp at once: what was shown two calls ago is gone.</summary>
    private struct Operands
    {
        public FragmentA A;
        public FragmentB B;
    }

    private struct Addresses
    {
        public long M0, M1, M2, M3;
    }

    /// <summary>c + A·B of m16n8k16 in bf16, k in order. A product of two bf16 is exact in fp32.</summary>
    public static Sums64 Bf16(Sums64 c, in FragmentA a, in FragmentB b)
    {
        float* rows = stackalloc float[16 * Own], columns = stackalloc float[16 * Own];
        byte* all = Publish(a, b);
        for (int q = 0; q < 4; q++)
            for (int half = 0; half < 2; half++)
                for (int i = 0; i < Own; i++)
                {
                    int k = 2 * q + 8 * half;
                    uint row = RowWord(all, q, half, i), column = ColumnWord(all, q, half, i);
                    rows[k * Own + i] = BitConverter.UInt32BitsToSingle(row << 16);
                    rows[(k + 1) * Own + i] = BitConverter.UInt32BitsToSingle(row & 0xFFFF0000);
                    columns[k * Own + i] = BitConverter.UInt32BitsToSingle(column << 16);
                    columns[(k + 1) * Own + i] = BitConverter.UInt32BitsToSingle(column & 0xFFFF0000);
                }
        return Sum(c, rows, columns, 16);
    }

    /// <summary>c + A·B of m16n8k8 in tf32, k in order; the last 13 bits are not looked at. A product of two tf32 is exact in fp32.</summary>
    public static Sums64 Tf32(Sums64 c, in FragmentA a, in FragmentB b)
    {
        float* rows = stackalloc float[8 * Own], columns = stackalloc float[8 * Own];
        byte* all = Publish(a, b);
        for (int q = 0; q < 4; q++)
            for (int half = 0; half < 2; half++)
                for (int i = 0; i < Own; i++)
                {
                    rows[(q + 4 * half) * Own + i] = BitConverter.UInt32BitsToSingle(RowWord(all, q, half, i) & ~0x1FFFu);
                    columns[(q + 4 * half) * Own + i] = BitConverter.UInt32BitsToSingle(ColumnWord(all, q, half, i) & ~0x1FFFu);
                }
        return Sum(c, rows, columns, 8);
    }

    /// <summary>ldmatrix.x4, up to four of them: lanes 8m … 8m + 7 name the rows of matrix m; lane 4g + q gets the pair q of row g of each.</summary>
    public static FragmentA Matrices(ref Chunk m0, ref Chunk m1, ref Chunk m2, ref Chunk m3)
    {
        byte* all = Publish(ref m0, ref m1, ref m2, ref m3);
        FragmentA result = default;
        for (int i = 0; i < 16; i++)
            ((uint*)&result)[i] = ((uint*)Address(all, i / 4, 8 * (i % 4) + Warp.LaneIdx / 4))[Warp.LaneIdx % 4];
        return result;
    }

    /// <summary>ldmatrix.x4.trans, up to four of them: lane 4g + q gets of each matrix what stands in column g of its rows 2q and 2q + 1.</summary>
    public static FragmentA MatricesAcross(ref Chunk m0, ref Chunk m1, ref Chunk m2, ref Chunk m3)
    {
        byte* all = Publish(ref m0, ref m1, ref m2, ref m3);
        int column = Warp.LaneIdx / 4, first = Warp.LaneIdx % 4 * 2;
        FragmentA result = default;
        for (int i = 0; i < 16; i++)
            ((uint*)&result)[i] = ((ushort*)Address(all, i / 4, 8 * (i % 4) + first))[column] | (uint)((ushort*)Address(all, i / 4, 8 * (i % 4) + first + 1))[column] << 16;
        return result;
    }

    private static byte* Publish(ref Chunk m0, ref Chunk m1, ref Chunk m2, ref Chunk m3) => WarpExchange.Publish(new Addresses
    {
        M0 = (long)Unsafe.AsPointer(ref m0),
        M1 = (long)Unsafe.AsPointer(ref m1),
        M2 = (long)Unsafe.AsPointer(ref m2),
        M3 = (long)Unsafe.AsPointer(ref m3),
    });

    private static long Address(byte* all, int matrices, int lane) => ((long*)WarpExchange.Of<Addresses>(all, lane))[matrices];

    private static byte* Publish(in FragmentA a, in FragmentB b) => WarpExchange.Publish(new Operands { A = a, B = b });

    /// <summary>Of this thread's eight rows (g and g + 8 of each tile) what lane 4g + q holds.</summary>
    private static uint RowWord(byte* all, int q, int half, int row)
        => ((uint*)&WarpExchange.Of<Operands>(all, Warp.LaneIdx / 4 * 4 + q)->A)[row / 2 * 4 + half * 2 + row % 2];

    /// <summary>Of this thread's eight columns (2q and 2q + 1 of each tile) what lane 4·column + q holds.</summary>
    private static uint ColumnWord(byte* all, int q, int half, int column)
        => ((uint*)&WarpExchange.Of<Operands>(all, (Warp.LaneIdx % 4 * 2 + column % 2) * 4 + q)->B)[column / 2 * 2 + half];

    /// <summary>Adds the outer products of eight rows and eight columns.</summary>
    private static Sums64 Sum(Sums64 c, float* rows, float* columns, int depth)
    {
        float* sums = (float*)&c, line = stackalloc float[Own];
        for (int row = 0; row < Own; row++)
        {
            // Tile m = row/2 and, in it, upper or lower half; of the four tiles of columns two neighbours each.
            float* at = sums + row / 2 * 16 + row % 2 * 2;
            for (int i = 0; i < Own; i++)
                line[i] = at[i / 2 * 4 + i % 2];
            var sum = Vector256.Load(line);
            for (int k = 0; k < depth; k++)
                sum += Vector256.Create(rows[k * Own + row]) * Vector256.Load(columns + k * Own);
            sum.Store(line);
            for (int i = 0; i < Own; i++)
                at[i / 2 * 4 + i % 2] = line[i];
        }
        return c;
    }
}
