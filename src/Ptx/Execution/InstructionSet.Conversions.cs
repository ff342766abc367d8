namespace IlgpuNetVlad.Ptx;

internal static partial class InstructionSet
{
    private static void AddConversions(Dictionary<string, Func<InstructionDecoder, Step>> set)
    {
        (string Name, Func<ulong, long> Of)[] integers =
        [
            ("u8", a => (byte)a), ("s8", a => (sbyte)a), ("u16", a => (ushort)a), ("s16", a => (short)a),
            ("u32", a => (uint)a), ("s32", a => (int)a), ("u64", a => (long)a), ("s64", a => (long)a),
        ];
        foreach (var (to, narrow) in integers)
            foreach (var (from, read) in integers)
                if (to != from)
                    set[$"cvt.{to}.{from}"] = Unary(a => (ulong)narrow((ulong)read(a)));
        set["cvt.rn.f32.s32"] = Unary(a => B((int)a));
        set["cvt.rn.f32.u32"] = Unary(a => B((uint)a));
        set["cvt.rn.f32.s64"] = Unary(a => B((long)a));
        set["cvt.rn.f32.u64"] = Unary(a => B(a));
        // Conversions to integers saturate, and what is no number becomes 0.
        foreach (var (name, round) in new (string, Func<float, float>)[] { ("rzi", MathF.Truncate), ("rni", MathF.Round), ("rmi", MathF.Floor), ("rpi", MathF.Ceiling) })
        {
            set[$"cvt.{name}.s32.f32"] = set[$"cvt.{name}.ftz.s32.f32"] = Unary(a => (uint)int.CreateSaturating(round(F(a))));
            set[$"cvt.{name}.u32.f32"] = set[$"cvt.{name}.ftz.u32.f32"] = Unary(a => uint.CreateSaturating(round(F(a))));
            set[$"cvt.{name}.f32.f32"] = Unary(a => B(round(F(a))));
        }
        set["cvt.rn.bf16.f32"] = Unary(a => Bf16(F(a)));
        set["cvt.rn.bf16x2.f32"] = Binary((upper, lower) => Bf16(F(upper)) << 16 | Bf16(F(lower)));
        set["cvt.rna.tf32.f32"] = Unary(a => Tf32((uint)a));
        // A generic address of global memory is the global one; of shared memory kernels here have plain offsets and no generic ones.
        set["cvta.global.u64"] = set["cvta.to.global.u64"] = Unary(a => a);
    }

    /// <summary>The nearest bf16, to even between two.</summary>
    private static ulong Bf16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? 0x7FFF : (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
    }

    /// <summary>The nearest number with 10 bits behind the point, away from zero between two, in the bits of a float.</summary>
    private static ulong Tf32(uint bits) => (bits & 0x7F80_0000) == 0x7F80_0000 ? bits : (bits + 0x1000) & ~0x1FFFu;
}
