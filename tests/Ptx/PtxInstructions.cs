using IlgpuNetVlad.Ptx;

namespace IlgpuNetVlad.Tests.Ptx;

/// <summary>Instructions that vectors carry out, on every pair of awkward values, against the same in plain C#, one lane at a time.</summary>
[TestFixture]
public sealed class PtxInstructions
{
    /// <summary>As integers the ends of their ranges; as floats both zeros, infinities, a NaN, the least, the largest, and such as lie between two of bf16 and tf32.</summary>
    private static readonly uint[] Values =
    [
        0, 1, 2, 0x7F, 0x80, 0x8000, 0x7FFF_FFFF, 0x8000_0000, 0x8000_0001, 0xFFFF_FFFF, 0x3F80_0000, 0xBF80_8000, 0x7F80_0000, 0xFF80_0000, 0x7FC0_0000, 0x7F7F_FFFF, 0x3F81_8000, 0xC049_0FDB,
        0x3F80_1000, 0x0080_0000,
    ];

    private static TestCaseData Integer(string body, Func<uint, uint, uint> expected) => new TestCaseData(body, expected).SetArgDisplayNames(body);

    private static TestCaseData Float(string name, Func<float, float, float> expected)
        => Integer($"{name}.f32 %f1, %f2{(Takes(name) == 2 ? ", %f3" : "")}; mov.b32 %r1, %f1;", (a, b) => Bits(expected(Of(a), Of(b))));

    private static TestCaseData Holds(string type, string condition, Func<uint, uint, bool> holds)
        => Integer($"setp.{condition}.{type} %p1, {(type == "f32" ? "%f2, %f3" : "%r2, %r3")}; selp.b32 %r1, 1, 0, %p1;", (a, b) => holds(a, b) ? 1u : 0);

    private static TestCaseData Wide(string condition, string type, Func<ulong, ulong, bool> holds)
        => Integer($"mul.wide.u32 %rd6, %r2, -1; mul.wide.u32 %rd7, %r3, -1; setp.{condition}.{type} %p1, %rd6, %rd7; selp.b32 %r1, 1, 0, %p1;", (a, b) => holds((ulong)a * uint.MaxValue, (ulong)b * uint.MaxValue) ? 1u : 0);

    private static int Takes(string name) => name.Split('.')[0] is "neg" or "abs" or "sqrt" or "rsqrt" or "rcp" ? 1 : 2;

    public static IEnumerable<TestCaseData> Instructions()
    {
        yield return Integer("add.s32 %r1, %r2, %r3;", (a, b) => a + b);
        yield return Integer("sub.u32 %r1, %r2, %r3;", (a, b) => a - b);
        yield return Integer("mul.lo.s32 %r1, %r2, %r3;", (a, b) => a * b);
        yield return Integer("mad.lo.s32 %r1, %r2, %r3, %r2;", (a, b) => a * b + a);
        yield return Integer("mul.hi.u32 %r1, %r2, %r3;", (a, b) => (uint)((ulong)a * b >> 32));
        yield return Integer("mul.hi.s32 %r1, %r2, %r3;", (a, b) => (uint)((long)(int)a * (int)b >> 32));
        yield return Integer("min.s32 %r1, %r2, %r3;", (a, b) => (uint)Math.Min((int)a, (int)b));
        yield return Integer("max.s32 %r1, %r2, %r3;", (a, b) => (uint)Math.Max((int)a, (int)b));
        yield return Integer("min.u32 %r1, %r2, %r3;", Math.Min);
        yield return Integer("max.u32 %r1, %r2, %r3;", Math.Max);
        yield return Integer("neg.s32 %r1, %r2;", (a, _) => 0 - a);
        yield return Integer("abs.s32 %r1, %r2;", (a, _) => (int)a < 0 ? 0 - a : a);
        yield return Integer("and.b32 %r1, %r2, %r3;", (a, b) => a & b);
        yield return Integer("or.b32 %r1, %r2, %r3;", (a, b) => a | b);
        yield return Integer("xor.b32 %r1, %r2, %r3;", (a, b) => a ^ b);
        yield return Integer("not.b32 %r1, %r2;", (a, _) => ~a);
        yield return Integer("mad.wide.s32 %rd6, %r2, %r3, 1; shr.u64 %rd6, %rd6, 16; cvt.u32.u64 %r1, %rd6;", (a, b) => (uint)((ulong)((long)(int)a * (int)b + 1) >> 16));
        yield return Integer("cvt.s64.s32 %rd6, %r2; cvt.u64.u32 %rd7, %r3; sub.s64 %rd6, %rd6, %rd7; shr.u64 %rd6, %rd6, 8; cvt.u32.u64 %r1, %rd6;", (a, b) => (uint)((ulong)((int)a - (long)b) >> 8));
        yield return Integer("cvt.s32.s8 %r1, %r2;", (a, _) => (uint)(sbyte)a);
        yield return Integer("cvt.u32.u8 %r1, %r2;", (a, _) => (byte)a);
        yield return Integer("cvt.s32.s16 %r1, %r2;", (a, _) => (uint)(short)a);
        yield return Integer("cvt.u32.u16 %r1, %r2;", (a, _) => (ushort)a);
        foreach (var (condition, of) in new (string, Func<long, long, bool>)[] { ("eq", (a, b) => a == b), ("ne", (a, b) => a != b), ("lt", (a, b) => a < b), ("le", (a, b) => a <= b), ("gt", (a, b) => a > b), ("ge", (a, b) => a >= b) })
        {
            yield return Holds("s32", condition, (a, b) => of((int)a, (int)b));
            yield return Holds("u32", condition, (a, b) => of(a, b));
            yield return Wide(condition, "s64", (a, b) => of((long)a, (long)b));
            yield return Wide(condition, "u64", (a, b) => of(a.CompareTo(b), 0));
        }
        foreach (var (condition, of) in new (string, Func<ulong, ulong, bool>)[] { ("lo", (a, b) => a < b), ("ls", (a, b) => a <= b), ("hi", (a, b) => a > b), ("hs", (a, b) => a >= b) })
        {
            yield return Holds("u32", condition, (a, b) => of(a, b));
            yield return Wide(condition, "u64", of);
        }
        yield return Float("add", (a, b) => a + b);
        yield return Float("sub", (a, b) => a - b);
        yield return Float("mul", (a, b) => a * b);
        yield return Float("mul.ftz", (a, b) => Flushed(Flushed(a) * Flushed(b)));
        yield return Float("div.rn", (a, b) => a / b);
        yield return Float("min", (a, b) => float.IsNaN(a) ? b : float.IsNaN(b) ? a : MathF.Min(a, b));
        yield return Float("max", (a, b) => float.IsNaN(a) ? b : float.IsNaN(b) ? a : MathF.Max(a, b));
        yield return Float("max.NaN", MathF.Max);
        yield return Float("neg", (a, _) => -a);
        yield return Float("abs", (a, _) => MathF.Abs(a));
        yield return Float("sqrt.rn", (a, _) => MathF.Sqrt(a));
        yield return Float("rsqrt.approx", (a, _) => 1 / MathF.Sqrt(a));
        yield return Float("rcp.rn", (a, _) => 1 / a);
        yield return Integer("fma.rn.f32 %f1, %f2, %f3, %f2; mov.b32 %r1, %f1;", (a, b) => Bits(MathF.FusedMultiplyAdd(Of(a), Of(b), Of(a))));
        bool Missing(float a, float b) => float.IsNaN(a) || float.IsNaN(b);
        foreach (var (condition, of) in new (string, Func<float, float, bool>)[]
        {
            ("eq", (a, b) => a == b), ("ne", (a, b) => a != b && !Missing(a, b)), ("lt", (a, b) => a < b), ("le", (a, b) => a <= b), ("gt", (a, b) => a > b), ("ge", (a, b) => a >= b),
            ("num", (a, b) => !Missing(a, b)), ("nan", Missing), ("equ", (a, b) => a == b || Missing(a, b)), ("neu", (a, b) => a != b), ("ltu", (a, b) => a < b || Missing(a, b)),
            ("leu", (a, b) => a <= b || Missing(a, b)), ("gtu", (a, b) => a > b || Missing(a, b)), ("geu", (a, b) => a >= b || Missing(a, b)),
        })
            yield return Holds("f32", condition, (a, b) => of(Of(a), Of(b)));
        foreach (var (kind, of) in new (string, Func<float, bool>)[] { ("notanumber", float.IsNaN), ("number", a => !float.IsNaN(a)), ("finite", float.IsFinite), ("infinite", float.IsInfinity) })
            yield return Integer($"testp.{kind}.f32 %p1, %f2; selp.b32 %r1, 1, 0, %p1;", (a, _) => of(Of(a)) ? 1u : 0);
        yield return Integer("cvt.rn.bf16x2.f32 %r1, %f2, %f3;", (a, b) => Bf16(a) << 16 | Bf16(b));
        yield return Integer("cvt.rna.tf32.f32 %r1, %f2;", (a, _) => (a & 0x7F80_0000) == 0x7F80_0000 ? a : (a + 0x1000) & ~0x1FFFu);
    }

    [TestCaseSource(nameof(Instructions))]
    public void EveryLaneComputes(string body, Func<uint, uint, uint> expected)
    {
        (uint A, uint B)[] pairs = [.. Values.SelectMany(a => Values.Select(b => (a, b)))];
        int threads = pairs.Length;
        int[] results = PtxProgram.Run(
            ".reg .b32 %r<9>; .reg .b64 %rd<9>; .reg .f32 %f<9>; .reg .pred %p<5>; ld.param.b64 %rd1, [p]; mov.b32 %r0, %tid.x; mul.wide.u32 %rd2, %r0, 12; add.u64 %rd3, %rd1, %rd2;"
            + "ld.global.b32 %r2, [%rd3]; ld.global.b32 %r3, [%rd3+4]; mov.b32 %f2, %r2; mov.b32 %f3, %r3;\n" + body + "\nst.global.b32 [%rd3+8], %r1; ret;",
            [.. pairs.SelectMany(p => new[] { (int)p.A, (int)p.B, 0 })], threads);
        for (int i = 0; i < threads; i++)
        {
            uint wanted = expected(pairs[i].A, pairs[i].B), got = (uint)results[3 * i + 2];
            // Which NaN a sum is, processors may choose.
            Assert.That(got == wanted || body.Contains(".f32 %f1") && float.IsNaN(Of(got)) && float.IsNaN(Of(wanted)), $"0x{pairs[i].A:x8}, 0x{pairs[i].B:x8}: 0x{got:x8} instead of 0x{wanted:x8}");
        }
    }

    private static float Of(uint bits) => BitConverter.UInt32BitsToSingle(bits);

    private static uint Bits(float value) => BitConverter.SingleToUInt32Bits(value);

    private static float Flushed(float x) => float.IsSubnormal(x) ? MathF.CopySign(0, x) : x;

    private static uint Bf16(uint bits) => float.IsNaN(Of(bits)) ? 0x7FFF : (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
}
