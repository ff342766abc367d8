using System.Globalization;
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
    public static Sums64 Multiply(Sums64 c, FragmentA a, FragmentB b) => TensorCoreSimulation.Bf16(c, a, b);

    /// <summary>Sixteen mma.sync.m16n8k8: c + A·B with A and B in tf32, of which the last 13 bits are not looked at, and sums in fp32.</summary>
    [IntrinsicImplementation]
    public static Sums64 MultiplyTf32(Sums64 c, FragmentA a, FragmentB b) => TensorCoreSimulation.Tf32(c, a, b);

    /// <summary>Rounds A to tf32, except for the last 13 bits, which <see cref="MultiplyTf32"/> drops; see <see cref="Tf32Numbers"/>.</summary>
    [IntrinsicImplementation]
    public static FragmentA RoundRows(FragmentA a)
    {
        Scale((uint*)&a, 16);
        return a;
    }

    /// <inheritdoc cref="RoundRows"/>
    [IntrinsicImplementation]
    public static FragmentB RoundColumns(FragmentB b)
    {
        Scale((uint*)&b, 8);
        return b;
    }

    /// <summary>Four ldmatrix.x4: A of two chunks of k where the k of a row are neighbours in shared memory.</summary>
    /// <param name="m0">Of the first m16 tile the 16 bytes that this thread names: row lane mod 16, chunk lane div 16; the other tiles likewise.</param>
    [IntrinsicImplementation]
    public static FragmentA LoadRows(ref Chunk m0, ref Chunk m1, ref Chunk m2, ref Chunk m3) => TensorCoreSimulation.Matrices(ref m0, ref m1, ref m2, ref m3);

    /// <summary>Four ldmatrix.x4.trans: A in bf16 where the rows of a k are neighbours in shared memory.</summary>
    /// <param name="m0">Of the first m16 tile: k lane mod 8 + 8·(lane div 16), rows 8·(lane div 8 mod 2) and on; the other tiles likewise.</param>
    [IntrinsicImplementation]
    public static FragmentA LoadRowsAcross(ref Chunk m0, ref Chunk m1, ref Chunk m2, ref Chunk m3) => TensorCoreSimulation.MatricesAcross(ref m0, ref m1, ref m2, ref m3);

    /// <summary>Two ldmatrix.x4: B of two chunks of k where the k of a column are neighbours in shared memory.</summary>
    /// <param name="n01">Of the first two n8 tiles: column lane mod 8 + 8·(lane div 16), chunk lane div 8 mod 2; the other two likewise.</param>
    [IntrinsicImplementation]
    public static FragmentB LoadColumns(ref Chunk n01, ref Chunk n23) => Half(TensorCoreSimulation.Matrices(ref n01, ref n23, ref n01, ref n23));

    /// <summary>Two ldmatrix.x4.trans: B in bf16 where the columns of a k are neighbours in shared memory.</summary>
    /// <param name="n01">Of the first two n8 tiles: k lane mod 16, columns 8·(lane div 16) and on; the other two likewise.</param>
    [IntrinsicImplementation]
    public static FragmentB LoadColumnsAcross(ref Chunk n01, ref Chunk n23) => Half(TensorCoreSimulation.MatricesAcross(ref n01, ref n23, ref n01, ref n23));

    /// <summary>Sixteen ld.shared.b32: A in tf32 where the rows of a k are neighbours in shared memory.</summary>
    /// <param name="w0">This thread's number of the first eight rows and k = q; the other three the same of the next eights. The last four eights stand 32 words behind.</param>
    /// <param name="later">Words from k = q to k = q + 4, a constant.</param>
    [IntrinsicImplementation]
    public static FragmentA LoadRowWords(ref uint w0, ref uint w1, ref uint w2, ref uint w3, int later) => new()
    {
        M0 = new() { X = w0, Y = w1, Z = Unsafe.Add(ref w0, later), W = Unsafe.Add(ref w1, later) },
        M1 = new() { X = w2, Y = w3, Z = Unsafe.Add(ref w2, later), W = Unsafe.Add(ref w3, later) },
        M2 = new() { X = Unsafe.Add(ref w0, 32), Y = Unsafe.Add(ref w1, 32), Z = Unsafe.Add(ref w0, 32 + later), W = Unsafe.Add(ref w1, 32 + later) },
        M3 = new() { X = Unsafe.Add(ref w2, 32), Y = Unsafe.Add(ref w3, 32), Z = Unsafe.Add(ref w2, 32 + later), W = Unsafe.Add(ref w3, 32 + later) },
    };

    /// <summary>Eight ld.shared.b32: B in tf32 where the columns of a k are neighbours in shared memory.</summary>
    /// <param name="w0">This thread's number of the first eight columns and k = q; the other three the same of the next eights.</param>
    /// <inheritdoc cref="LoadRowWords"/>
    [IntrinsicImplementation]
    public static FragmentB LoadColumnWords(ref uint w0, ref uint w1, ref uint w2, ref uint w3, int later) => new()
    {
        N01 = new() { X = w0, Y = Unsafe.Add(ref w0, later), Z = w1, W = Unsafe.Add(ref w1, later) },
        N23 = new() { X = w2, Y = Unsafe.Add(ref w2, later), Z = w3, W = Unsafe.Add(ref w3, later) },
    };

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

    private static FragmentB Half(in FragmentA four) => new() { N01 = four.M0, N23 = four.M1 };

    /// <summary>1 + 2⁻¹¹.</summary>
    private const float HalfUnit = 1.00048828125f;

    private static void Scale(uint* words, int count)
    {
        for (int i = 0; i < count; i++)
            words[i] = BitConverter.SingleToUInt32Bits(BitConverter.UInt32BitsToSingle(words[i]) * HalfUnit);
    }

    private static uint Round(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        if (float.IsNaN(value))
            return 0x7FFF;
        return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
    }

    private static void EmitMultiply(PTXBackend backend, PTXCodeGenerator generator, Value value) => EmitProducts(generator, value, "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32");

    private static void EmitMultiplyTf32(PTXBackend backend, PTXCodeGenerator generator, Value value) => EmitProducts(generator, value, "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32");

    private static void EmitProducts(PTXCodeGenerator generator, Value value, string instruction)
    {
        string[] c = PtxEmitter.Argument(generator, value, 0), a = PtxEmitter.Argument(generator, value, 1), b = PtxEmitter.Argument(generator, value, 2);
        string[] d = PtxEmitter.Result(generator, value);
        for (int m = 0; m < 4; m++)
            for (int n = 0; n < 4; n++)
            {
                int at = 4 * (4 * m + n);
                PtxEmitter.Write(generator, $"{instruction} "
                    + $"{PtxEmitter.Vector(d[at..(at + 4)])}, {PtxEmitter.Vector(a[(4 * m)..(4 * m + 4)])}, {PtxEmitter.Vector(b[(2 * n)..(2 * n + 2)])}, {PtxEmitter.Vector(c[at..(at + 4)])}");
            }
    }

    private static void EmitRoundRows(PTXBackend backend, PTXCodeGenerator generator, Value value) => EmitScale(generator, value);

    private static void EmitRoundColumns(PTXBackend backend, PTXCodeGenerator generator, Value value) => EmitScale(generator, value);

    private static void EmitScale(PTXCodeGenerator generator, Value value)
    {
        string[] from = PtxEmitter.Argument(generator, value, 0), to = PtxEmitter.Result(generator, value);
        foreach (var (source, target) in from.Zip(to))
            PtxEmitter.Write(generator, $"mul.rn.f32 {target}, {source}, 0f{BitConverter.SingleToUInt32Bits(HalfUnit):X8}");
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

    private static void EmitLoadRowWords(PTXBackend backend, PTXCodeGenerator generator, Value value) => EmitWords(generator, value, i => (i / 4 % 2 * 2 + i % 2, i / 8 * 32, i / 2 % 2));

    private static void EmitLoadColumnWords(PTXBackend backend, PTXCodeGenerator generator, Value value) => EmitWords(generator, value, i => (i / 2, 0, i % 2));

    /// <param name="place">Of a word of the result: which address it is read behind, how many words, and whether later ones.</param>
    private static void EmitWords(PTXCodeGenerator generator, Value value, Func<int, (int Address, int Words, int Later)> place)
    {
        string[] result = PtxEmitter.Result(generator, value);
        int later = int.Parse(PtxEmitter.Argument(generator, value, 4)[0], CultureInfo.InvariantCulture);
        for (int i = 0; i < result.Length; i++)
        {
            var (address, words, later4) = place(i);
            PtxEmitter.Write(generator, $"ld.shared.b32 {result[i]}, [{PtxEmitter.Argument(generator, value, address)[0]}+{4 * (words + later * later4)}]");
        }
    }

    private static void EmitPack(PTXBackend backend, PTXCodeGenerator generator, Value value)
        => PtxEmitter.Write(generator, $"cvt.rn.bf16x2.f32 {PtxEmitter.Result(generator, value)[0]}, {PtxEmitter.Argument(generator, value, 1)[0]}, {PtxEmitter.Argument(generator, value, 0)[0]}");

    private static void EmitStorePair(PTXBackend backend, PTXCodeGenerator generator, Value value)
        => PtxEmitter.Write(generator, $"st.global.v2.f32 [{PtxEmitter.Argument(generator, value, 0)[0]}], {PtxEmitter.Vector([PtxEmitter.Argument(generator, value, 1)[0], PtxEmitter.Argument(generator, value, 2)[0]])}");
}
