using System.Runtime.CompilerServices;
using ILGPU.Backends.PTX;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;

namespace IlgpuNetVlad.Kernels;

/// <summary>Eight rows, or columns, of one k: two times four neighbours.</summary>
public struct Float8
{
    public Float4 Low, High;
}

/// <summary>8×8 of C, row by row. Fields of a struct travel in registers; an array would lie in local memory.</summary>
public struct Sums8x8
{
    public Float8 R0, R1, R2, R3, R4, R5, R6, R7;
}

/// <summary>
/// One thread's part of a product, out of shared memory. ILGPU unrolls nothing, so each of these writes all its instructions, with addresses that are one register and a constant. Only PTX that every CUDA device has.
/// </summary>
public static unsafe class OuterProduct
{
    /// <summary>Two ld.volatile.shared.v4.f32: so the assembler keeps their order and reads less ahead, and the registers suffice.</summary>
    /// <param name="first">In shared memory.</param>
    /// <param name="place">How many fours behind it the low half stands, a constant…</param>
    /// <param name="half">…and how many behind that the high half, a constant.</param>
    [IntrinsicImplementation]
    public static Float8 Load(ref Float4 first, int place, int half) => new() { Low = Unsafe.Add(ref first, place), High = Unsafe.Add(ref first, place + half) };

    /// <summary>64 fma.rn.f32: c[i, j] + a[i]·b[j], rounded once.</summary>
    [IntrinsicImplementation]
    public static Sums8x8 Add(Sums8x8 c, Float8 a, Float8 b)
    {
        float* sums = (float*)&c, rows = (float*)&a, columns = (float*)&b;
        for (int i = 0; i < 8; i++)
            for (int j = 0; j < 8; j++)
                sums[8 * i + j] = MathF.FusedMultiplyAdd(rows[i], columns[j], sums[8 * i + j]);
        return c;
    }

    /// <summary>st.shared.v4.f32.</summary>
    /// <param name="first">In shared memory.</param>
    /// <param name="place">How many fours behind it they go, a constant.</param>
    [IntrinsicImplementation]
    public static void Store(ref Float4 first, int place, Float4 values) => Unsafe.Add(ref first, place) = values;

    /// <summary>Four st.shared.f32, one below the other.</summary>
    /// <param name="first">In shared memory.</param>
    /// <param name="place">How many numbers behind it they begin, a constant.</param>
    /// <param name="step">Numbers from one to the next, a constant.</param>
    [IntrinsicImplementation]
    public static void StoreDown(ref float first, int place, Float4 values, int step)
    {
        Unsafe.Add(ref first, place) = values.X;
        Unsafe.Add(ref first, place + step) = values.Y;
        Unsafe.Add(ref first, place + 2 * step) = values.Z;
        Unsafe.Add(ref first, place + 3 * step) = values.W;
    }

    private static void EmitLoad(PTXBackend backend, PTXCodeGenerator generator, Value value)
    {
        string[] result = PtxEmitter.Result(generator, value);
        string first = PtxEmitter.Argument(generator, value, 0)[0];
        int place = PtxEmitter.Constant(generator, value, 1), half = PtxEmitter.Constant(generator, value, 2);
        for (int i = 0; i < 2; i++)
            PtxEmitter.Write(generator, $"ld.volatile.shared.v4.f32 {PtxEmitter.Vector(result[(4 * i)..(4 * i + 4)])}, [{first}+{16 * (place + half * i)}]");
    }

    private static void EmitAdd(PTXBackend backend, PTXCodeGenerator generator, Value value)
    {
        string[] c = PtxEmitter.Argument(generator, value, 0), a = PtxEmitter.Argument(generator, value, 1), b = PtxEmitter.Argument(generator, value, 2);
        string[] sums = PtxEmitter.Result(generator, value);
        for (int i = 0; i < sums.Length; i++)
            PtxEmitter.Write(generator, $"fma.rn.f32 {sums[i]}, {a[i / 8]}, {b[i % 8]}, {c[i]}");
    }

    private static void EmitStore(PTXBackend backend, PTXCodeGenerator generator, Value value)
        => PtxEmitter.Write(generator, $"st.shared.v4.f32 [{PtxEmitter.Argument(generator, value, 0)[0]}+{16 * PtxEmitter.Constant(generator, value, 1)}], {PtxEmitter.Vector(PtxEmitter.Argument(generator, value, 2))}");

    private static void EmitStoreDown(PTXBackend backend, PTXCodeGenerator generator, Value value)
    {
        string first = PtxEmitter.Argument(generator, value, 0)[0];
        string[] values = PtxEmitter.Argument(generator, value, 2);
        int place = PtxEmitter.Constant(generator, value, 1), step = PtxEmitter.Constant(generator, value, 3);
        for (int i = 0; i < values.Length; i++)
            PtxEmitter.Write(generator, $"st.shared.f32 [{first}+{4 * (place + step * i)}], {values[i]}");
    }
}
