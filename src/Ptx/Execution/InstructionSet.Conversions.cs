using System.Runtime.Intrinsics;

namespace IlgpuNetVlad.Ptx;

internal static partial class InstructionSet
{
    private static void AddConversions(Dictionary<string, Func<InstructionDecoder, Step>> set)
    {
        (string Name, Func<Vector512<ulong>, Vector512<ulong>> Of)[] integers =
        [
            ("u8", a => a & Vector512.Create(0xFFul)), ("s8", a => Signed(a, 8)), ("u16", a => a & Vector512.Create(0xFFFFul)), ("s16", a => Signed(a, 16)),
            ("u32", Low), ("s32", a => Signed(a)), ("u64", a => a), ("s64", a => a),
        ];
        foreach (var (to, narrow) in integers)
            foreach (var (from, read) in integers)
                if (to != from)
                    set[$"cvt.{to}.{from}"] = Unary(a => narrow(read(a)));
        set["cvt.rn.f32.s32"] = UnaryOfLane(a => B((int)a));
        set["cvt.rn.f32.u32"] = UnaryOfLane(a => B((uint)a));
        set["cvt.rn.f32.s64"] = UnaryOfLane(a => B((long)a));
        set["cvt.rn.f32.u64"] = UnaryOfLane(a => B(a));
        // Conversions to integers saturate, and what is no number becomes 0.
        foreach (var (name, round) in new (string, Func<float, float>)[] { ("rzi", MathF.Truncate), ("rni", MathF.Round), ("rmi", MathF.Floor), ("rpi", MathF.Ceiling) })
        {
            set[$"cvt.{name}.s32.f32"] = set[$"cvt.{name}.ftz.s32.f32"] = UnaryOfLane(a => (uint)int.CreateSaturating(round(F(a))));
            set[$"cvt.{name}.u32.f32"] = set[$"cvt.{name}.ftz.u32.f32"] = UnaryOfLane(a => uint.CreateSaturating(round(F(a))));
            set[$"cvt.{name}.f32.f32"] = UnaryOfLane(a => B(round(F(a))));
        }
        set["cvt.rn.bf16.f32"] = Unary(Bf16);
        set["cvt.rn.bf16x2.f32"] = Binary((upper, lower) => Bf16(upper) << 16 | Bf16(lower));
        set["cvt.rna.tf32.f32"] = Unary(Tf32);
        // A generic address of global memory is the global one; of shared memory kernels here have plain offsets and no generic ones.
        set["cvta.global.u64"] = set["cvta.to.global.u64"] = Unary(a => a);
    }

    /// <summary>The nearest bf16, to even between two.</summary>
    private static Vector512<ulong> Bf16(Vector512<ulong> a)
    {
        var rounded = Low(Low(a) + Vector512.Create(0x7FFFul) + (a >> 16 & Vector512<ulong>.One)) >> 16;
        return Vector512.ConditionalSelect(IsNaN(a), Vector512.Create(0x7FFFul), rounded);
    }

    /// <summary>The nearest number with 10 bits behind the point, away from zero between two, in the bits of a float.</summary>
    private static Vector512<ulong> Tf32(Vector512<ulong> a)
    {
        var exponent = Vector512.Create(0x7F80_0000ul);
        return Vector512.ConditionalSelect(Vector512.Equals(a & exponent, exponent), Low(a), Low(a + Vector512.Create(0x1000ul)) & Vector512.Create(~0x1FFFul));
    }

    /// <summary>All bits of the lanes that hold no number; the upper halves, which hold nothing, do not count.</summary>
    private static Vector512<ulong> IsNaN(Vector512<ulong> a) => Vector512.GreaterThan(a & Vector512.Create(0x7FFF_FFFFul), Vector512.Create(0x7F80_0000ul));
}
