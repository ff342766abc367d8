using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Backends.PTX;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// Reads of global memory that give 0 where nothing may be read, by instructions that a predicate switches off: no branch, so that what is read can be on its way while the thread goes on.
/// Only PTX that every CUDA device has.
/// </summary>
public static class MaskedAccess
{
    /// <summary>ld.global.v4.f32: four neighbours where <paramref name="count"/> is positive, else zeros.</summary>
    /// <param name="from">The first, at a multiple of 16 bytes; not read where <paramref name="count"/> is 0 or less.</param>
    [IntrinsicImplementation]
    public static Float4 ReadFour(ref float from, int count) => count > 0 ? Unsafe.As<float, Float4>(ref from) : default;

    /// <summary>Four times ld.global.f32: of four neighbours the first <paramref name="count"/>, and zeros.</summary>
    /// <param name="count">Any number: 0 and less are none, 4 and more are all.</param>
    [IntrinsicImplementation]
    public static Float4 ReadUpToFour(ref float from, int count) => new()
    {
        X = count > 0 ? from : 0,
        Y = count > 1 ? Unsafe.Add(ref from, 1) : 0,
        Z = count > 2 ? Unsafe.Add(ref from, 2) : 0,
        W = count > 3 ? Unsafe.Add(ref from, 3) : 0,
    };

    /// <summary>ld.global.f32: one number where <paramref name="count"/> is positive, else 0.</summary>
    [IntrinsicImplementation]
    public static float ReadOne(ref float from, int count) => count > 0 ? from : 0;

    /// <summary>st.global.v4.f32: four neighbours, the first at a multiple of 16 bytes.</summary>
    [IntrinsicImplementation]
    public static void WriteFour(ref float to, Float4 values) => Unsafe.As<float, Float4>(ref to) = values;

    /// <summary>Up to four neighbours.</summary>
    /// <param name="vectors">Not 0: <paramref name="count"/> is 4 or more, or not positive, and what is read begins at a multiple of 16 bytes.</param>
    public static Float4 Read(ArrayView<float> from, int index, int count, int vectors)
    {
        int at = count > 0 ? index : 0;
        return vectors != 0 ? ReadFour(ref from[at], count) : ReadUpToFour(ref from[at], count);
    }

    /// <summary>Four numbers that stand anywhere; 0 for a negative index.</summary>
    public static Float4 Gather(ArrayView<float> from, int x, int y, int z, int w) => new() { X = One(from, x), Y = One(from, y), Z = One(from, z), W = One(from, w) };

    /// <summary>Up to four neighbours; see <see cref="Read"/>.</summary>
    public static void Write(ArrayView<float> to, int index, int count, int vectors, Float4 values)
    {
        if (count <= 0)
            return;
        if (vectors != 0)
        {
            WriteFour(ref to[index], values);
            return;
        }
        to[index] = values.X;
        if (count > 1)
            to[index + 1] = values.Y;
        if (count > 2)
            to[index + 2] = values.Z;
        if (count > 3)
            to[index + 3] = values.W;
    }

    private static float One(ArrayView<float> from, int index) => ReadOne(ref from[index < 0 ? 0 : index], index < 0 ? 0 : 1);

    private static void EmitReadFour(PTXBackend backend, PTXCodeGenerator generator, Value value)
    {
        string[] result = PtxEmitter.Result(generator, value);
        PtxEmitter.Write(generator, "{ .reg .pred inside");
        PtxEmitter.Write(generator, $"setp.gt.s32 inside, {PtxEmitter.Argument(generator, value, 1)[0]}, 0");
        foreach (string register in result)
            PtxEmitter.Write(generator, $"mov.b32 {register}, 0f00000000");
        PtxEmitter.Write(generator, $"@inside ld.global.v4.f32 {PtxEmitter.Vector(result)}, [{PtxEmitter.Argument(generator, value, 0)[0]}]");
        PtxEmitter.Write(generator, "} //");
    }

    private static void EmitReadUpToFour(PTXBackend backend, PTXCodeGenerator generator, Value value) => EmitReads(generator, value);

    private static void EmitReadOne(PTXBackend backend, PTXCodeGenerator generator, Value value) => EmitReads(generator, value);

    private static void EmitReads(PTXCodeGenerator generator, Value value)
    {
        string[] result = PtxEmitter.Result(generator, value);
        PtxEmitter.Write(generator, "{ .reg .pred inside<4>");
        for (int i = 0; i < result.Length; i++)
        {
            PtxEmitter.Write(generator, $"setp.gt.s32 inside{i}, {PtxEmitter.Argument(generator, value, 1)[0]}, {i}");
            PtxEmitter.Write(generator, $"mov.b32 {result[i]}, 0f00000000");
            PtxEmitter.Write(generator, $"@inside{i} ld.global.f32 {result[i]}, [{PtxEmitter.Argument(generator, value, 0)[0]}+{4 * i}]");
        }
        PtxEmitter.Write(generator, "} //");
    }

    private static void EmitWriteFour(PTXBackend backend, PTXCodeGenerator generator, Value value)
        => PtxEmitter.Write(generator, $"st.global.v4.f32 [{PtxEmitter.Argument(generator, value, 0)[0]}], {PtxEmitter.Vector(PtxEmitter.Argument(generator, value, 1))}");
}
