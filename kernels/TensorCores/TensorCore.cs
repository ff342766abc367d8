using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Backends.PTX;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// Instructions of whole warps around the tensor cores (sm_80), each with its exact meaning for simulated warps as its body: the layouts of fragments are those of the PTX
/// ISA, so a kernel that is wrong on CUDA is wrong in a test on any machine. Every lane of a warp must call.
/// </summary>
public static unsafe class TensorCore
{
    /// <summary>
    /// Sixteen mma.sync.m16n8k16: c + A·B with A and B in bf16 and sums in fp32. The CPU adds k in order; tensor cores add in an order, and with a
    /// rounding of partial sums, of their own.
    /// </summary>
    [IntrinsicImplementation]
    public static Sums64 Multiply(Sums64 c, FragmentA a, FragmentB b)
    {
        byte* all = WarpExchange.Publish(new Operands { A = a, B = b });
        int row = Warp.LaneIdx / 4, column = Warp.LaneIdx % 4 * 2;
        float* sums = (float*)&c;
        for (int m = 0; m < 4; m++)
            for (int n = 0; n < 4; n++, sums += 4)
                for (int k = 0; k < 16; k++)
                {
                    float a0 = OfA(all, m, row, k), a8 = OfA(all, m, row + 8, k), b0 = OfB(all, n, k, column), b1 = OfB(all, n, k, column + 1);
                    sums[0] = MathF.FusedMultiplyAdd(a0, b0, sums[0]);
                    sums[1] = MathF.FusedMultiplyAdd(a0, b1, sums[1]);
                    sums[2] = MathF.FusedMultiplyAdd(a8, b0, sums[2]);
                    sums[3] = MathF.FusedMultiplyAdd(a8, b1, sums[3]);
                }
        return c;
    }

    /// <summary>Four ldmatrix.x4: A of a k16 step where the k of a row are neighbours in shared memory.</summary>
    /// <param name="m0">Of the first m16 tile the 16 bytes that this thread names: row lane mod 16, k 8·(lane div 16) and on; the other tiles likewise.</param>
    [IntrinsicImplementation]
    public static FragmentA LoadRows(ref Chunk m0, ref Chunk m1, ref Chunk m2, ref Chunk m3)
        => new() { M0 = Matrices(ref m0), M1 = Matrices(ref m1), M2 = Matrices(ref m2), M3 = Matrices(ref m3) };

    /// <summary>Four ldmatrix.x4.trans: A of a k16 step where the rows of a k are neighbours in shared memory.</summary>
    /// <param name="m0">Of the first m16 tile: k lane mod 8 + 8·(lane div 16), rows 8·(lane div 8 mod 2) and on; the other tiles likewise.</param>
    [IntrinsicImplementation]
    public static FragmentA LoadRowsAcross(ref Chunk m0, ref Chunk m1, ref Chunk m2, ref Chunk m3)
        => new() { M0 = MatricesAcross(ref m0), M1 = MatricesAcross(ref m1), M2 = MatricesAcross(ref m2), M3 = MatricesAcross(ref m3) };

    /// <summary>Two ldmatrix.x4: B of a k16 step where the k of a column are neighbours in shared memory.</summary>
    /// <param name="n01">Of the first two n8 tiles: column lane mod 8 + 8·(lane div 16), k 8·(lane div 8 mod 2) and on; the other two likewise.</param>
    [IntrinsicImplementation]
    public static FragmentB LoadColumns(ref Chunk n01, ref Chunk n23) => new() { N01 = Matrices(ref n01), N23 = Matrices(ref n23) };

    /// <summary>Two ldmatrix.x4.trans: B of a k16 step where the columns of a k are neighbours in shared memory.</summary>
    /// <param name="n01">Of the first two n8 tiles: k lane mod 16, columns 8·(lane div 16) and on; the other two likewise.</param>
    [IntrinsicImplementation]
    public static FragmentB LoadColumnsAcross(ref Chunk n01, ref Chunk n23) => new() { N01 = MatricesAcross(ref n01), N23 = MatricesAcross(ref n23) };

    /// <summary>cvt.rn.bf16x2.f32: two numbers rounded to bf16, to even where two are as near, the first in the lower half.</summary>
    [IntrinsicImplementation]
    public static uint Pack(float low, float high) => Round(low) | Round(high) << 16;

    /// <summary>st.global.v2.f32: two neighbouring numbers at an address that is a multiple of 8 bytes.</summary>
    [IntrinsicImplementation]
    public static void StorePair(ref float to, float first, float second)
    {
        to = first;
        Unsafe.Add(ref to, 1) = second;
    }

    /// <summary>Shown to the warp at once: what was shown two calls ago is gone.</summary>
    private struct Operands
    {
        public FragmentA A;
        public FragmentB B;
    }

    private static float OfA(byte* all, int tile, int row, int k)
    {
        uint* words = (uint*)(&WarpExchange.Of<Operands>(all, row % 8 * 4 + k % 8 / 2)->A) + 4 * tile;
        return Half(words[row / 8 + k / 8 * 2], k);
    }

    private static float OfB(byte* all, int tile, int k, int column)
    {
        uint* words = (uint*)(&WarpExchange.Of<Operands>(all, column * 4 + k % 8 / 2)->B) + 2 * tile;
        return Half(words[k / 8], k);
    }

    private static float Half(uint pair, int index) => BitConverter.UInt32BitsToSingle(index % 2 == 0 ? pair << 16 : pair & 0xFFFF0000);

    /// <summary>ldmatrix.x4: lanes 8m … 8m + 7 name the rows of matrix m; lane 4g + q gets the pair q of row g of each.</summary>
    private static Chunk Matrices(ref Chunk row)
    {
        byte* rows = WarpExchange.Publish((long)Unsafe.AsPointer(ref row));
        Chunk result = default;
        for (int m = 0; m < 4; m++)
            ((uint*)&result)[m] = ((uint*)*WarpExchange.Of<long>(rows, 8 * m + Warp.LaneIdx / 4))[Warp.LaneIdx % 4];
        return result;
    }

    /// <summary>ldmatrix.x4.trans: lane 4g + q gets of each matrix what stands in column g of its rows 2q and 2q + 1.</summary>
    private static Chunk MatricesAcross(ref Chunk row)
    {
        byte* rows = WarpExchange.Publish((long)Unsafe.AsPointer(ref row));
        Chunk result = default;
        int column = Warp.LaneIdx / 4, first = Warp.LaneIdx % 4 * 2;
        for (int m = 0; m < 4; m++)
            ((uint*)&result)[m] = ((ushort*)*WarpExchange.Of<long>(rows, 8 * m + first))[column]
                | (uint)((ushort*)*WarpExchange.Of<long>(rows, 8 * m + first + 1))[column] << 16;
        return result;
    }

    private static uint Round(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        if (float.IsNaN(value))
            return 0x7FFF;
        return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
    }

    private static void EmitMultiply(PTXBackend backend, PTXCodeGenerator generator, Value value)
    {
        string[] c = PtxEmitter.Argument(generator, value, 0), a = PtxEmitter.Argument(generator, value, 1), b = PtxEmitter.Argument(generator, value, 2);
        string[] d = PtxEmitter.Result(generator, value);
        for (int m = 0; m < 4; m++)
            for (int n = 0; n < 4; n++)
            {
                int at = 4 * (4 * m + n);
                PtxEmitter.Write(generator, "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
                    + $"{PtxEmitter.Vector(d[at..(at + 4)])}, {PtxEmitter.Vector(a[(4 * m)..(4 * m + 4)])}, {PtxEmitter.Vector(b[(2 * n)..(2 * n + 2)])}, {PtxEmitter.Vector(c[at..(at + 4)])}");
            }
    }

    private static void EmitLoadRows(PTXBackend backend, PTXCodeGenerator generator, Value value) => EmitMatrices(generator, value, "");

    private static void EmitLoadRowsAcross(PTXBackend backend, PTXCodeGenerator generator, Value value) => EmitMatrices(generator, value, ".trans");

    private static void EmitLoadColumns(PTXBackend backend, PTXCodeGenerator generator, Value value) => EmitMatrices(generator, value, "");

    private static void EmitLoadColumnsAcross(PTXBackend backend, PTXCodeGenerator generator, Value value) => EmitMatrices(generator, value, ".trans");

    private static void EmitMatrices(PTXCodeGenerator generator, Value value, string across)
    {
        string[] result = PtxEmitter.Result(generator, value);
        for (int i = 0; i < result.Length / 4; i++)
            PtxEmitter.Write(generator, $"ldmatrix.sync.aligned.m8n8.x4{across}.shared.b16 {PtxEmitter.Vector(result[(4 * i)..(4 * i + 4)])}, [{PtxEmitter.Argument(generator, value, i)[0]}]");
    }

    private static void EmitPack(PTXBackend backend, PTXCodeGenerator generator, Value value)
        => PtxEmitter.Write(generator, $"cvt.rn.bf16x2.f32 {PtxEmitter.Result(generator, value)[0]}, {PtxEmitter.Argument(generator, value, 1)[0]}, {PtxEmitter.Argument(generator, value, 0)[0]}");

    private static void EmitStorePair(PTXBackend backend, PTXCodeGenerator generator, Value value)
        => PtxEmitter.Write(generator, $"st.global.v2.f32 [{PtxEmitter.Argument(generator, value, 0)[0]}], {PtxEmitter.Vector([PtxEmitter.Argument(generator, value, 1)[0], PtxEmitter.Argument(generator, value, 2)[0]])}");
}
