using System.Runtime.Intrinsics;

namespace IlgpuNetVlad.Ptx;

internal static partial class InstructionSet
{
    private static float F(ulong bits) => BitConverter.UInt32BitsToSingle((uint)bits);

    private static ulong B(float value) => BitConverter.SingleToUInt32Bits(value);

    private static Vector512<float> F(Vector512<ulong> bits) => bits.AsSingle();

    /// <summary>What a formula makes of the upper halves, which hold no numbers, goes.</summary>
    private static Vector512<ulong> B(Vector512<float> values) => Low(values.AsUInt64());

    /// <summary>A subnormal number as a zero of its sign.</summary>
    private static Vector512<float> Flushed(Vector512<float> x)
        => Vector512.ConditionalSelect(Vector512.Equals(x.AsUInt32() & Vector512.Create(0x7F80_0000u), Vector512<uint>.Zero), x.AsUInt32() & Vector512.Create(0x8000_0000u), x.AsUInt32()).AsSingle();

    private static float Flushed(float x) => float.IsSubnormal(x) ? MathF.CopySign(0, x) : x;

    private static void AddFloats(Dictionary<string, Func<InstructionDecoder, Step>> set)
    {
        foreach (string rounding in new[] { "", ".rn" })
        {
            AddBinary(set, $"add{rounding}", (a, b) => a + b);
            AddBinary(set, $"sub{rounding}", (a, b) => a - b);
            AddBinary(set, $"mul{rounding}", (a, b) => a * b);
        }
        AddBinary(set, "div.rn", (a, b) => a / b);
        AddBinary(set, "div.approx", (a, b) => a / b);
        AddBinary(set, "min", (a, b) => Number(a, b, Vector512.Min(a, b)));
        AddBinary(set, "max", (a, b) => Number(a, b, Vector512.Max(a, b)));
        AddBinary(set, "max.NaN", Vector512.Max);
        AddUnary(set, "neg", a => -a);
        AddUnary(set, "abs", Vector512.Abs);
        AddUnary(set, "sqrt.rn", Vector512.Sqrt);
        AddUnary(set, "sqrt.approx", Vector512.Sqrt);
        AddUnary(set, "rsqrt.approx", a => Vector512<float>.One / Vector512.Sqrt(a));
        AddUnary(set, "rcp.rn", a => Vector512<float>.One / a);
        AddUnary(set, "rcp.approx", a => Vector512<float>.One / a);
        AddUnaryOfLane(set, "ex2.approx", a => MathF.Pow(2, a));
        AddUnaryOfLane(set, "lg2.approx", MathF.Log2);
        set["fma.rn.f32"] = Ternary((a, b, c) => B(Vector512.FusedMultiplyAdd(F(a), F(b), F(c))), 2);
        set["fma.rn.ftz.f32"] = Ternary((a, b, c) => B(Flushed(Vector512.FusedMultiplyAdd(Flushed(F(a)), Flushed(F(b)), Flushed(F(c))))), 2);
    }

    /// <summary>Of two numbers what was made of them; where one is missing, the other.</summary>
    private static Vector512<float> Number(Vector512<float> a, Vector512<float> b, Vector512<float> both)
        => Vector512.ConditionalSelect(Vector512.IsNaN(a), b, Vector512.ConditionalSelect(Vector512.IsNaN(b), a, both));

    private static void AddBinary(Dictionary<string, Func<InstructionDecoder, Step>> set, string name, Func<Vector512<float>, Vector512<float>, Vector512<float>> f)
    {
        set[$"{name}.f32"] = Binary((a, b) => B(f(F(a), F(b))), 1);
        set[$"{name}.ftz.f32"] = Binary((a, b) => B(Flushed(f(Flushed(F(a)), Flushed(F(b))))), 1);
    }

    private static void AddUnary(Dictionary<string, Func<InstructionDecoder, Step>> set, string name, Func<Vector512<float>, Vector512<float>> f)
    {
        set[$"{name}.f32"] = Unary(a => B(f(F(a))), 1);
        set[$"{name}.ftz.f32"] = Unary(a => B(Flushed(f(Flushed(F(a))))), 1);
    }

    private static void AddUnaryOfLane(Dictionary<string, Func<InstructionDecoder, Step>> set, string name, Func<float, float> f)
    {
        set[$"{name}.f32"] = UnaryOfLane(a => B(f(F(a))), 1);
        set[$"{name}.ftz.f32"] = UnaryOfLane(a => B(Flushed(f(Flushed(F(a))))), 1);
    }

    private static void AddComparisons(Dictionary<string, Func<InstructionDecoder, Step>> set)
    {
        foreach (string type in new[] { "b32", "u32", "s32", "b64", "u64", "s64" })
        {
            // Order as signed numbers of 64 bits in which the type's order is kept.
            Func<Vector512<ulong>, Vector512<long>> key = type switch
            {
                "s32" => a => Signed(a).AsInt64(),
                "u32" or "b32" => a => Low(a).AsInt64(),
                "s64" => a => a.AsInt64(),
                _ => a => (a ^ Vector512.Create(1ul << 63)).AsInt64(),
            };
            set[$"setp.eq.{type}"] = Binary((a, b) => One(Vector512.Equals(key(a), key(b)).AsUInt64()));
            set[$"setp.ne.{type}"] = Binary((a, b) => One(~Vector512.Equals(key(a), key(b)).AsUInt64()));
            if (type[0] == 'b')
                continue;
            set[$"setp.lt.{type}"] = Binary((a, b) => One(Vector512.LessThan(key(a), key(b)).AsUInt64()));
            set[$"setp.le.{type}"] = Binary((a, b) => One(Vector512.LessThanOrEqual(key(a), key(b)).AsUInt64()));
            set[$"setp.gt.{type}"] = Binary((a, b) => One(Vector512.GreaterThan(key(a), key(b)).AsUInt64()));
            set[$"setp.ge.{type}"] = Binary((a, b) => One(Vector512.GreaterThanOrEqual(key(a), key(b)).AsUInt64()));
            if (type[0] == 'u')
                foreach (var (name, same) in new[] { ("lo", "lt"), ("ls", "le"), ("hi", "gt"), ("hs", "ge") })
                    set[$"setp.{name}.{type}"] = set[$"setp.{same}.{type}"];
        }
        AddComparison(set, "eq", Vector512.Equals);
        AddComparison(set, "ne", (a, b) => ~Vector512.Equals(a, b) & BothNumbers(a, b));
        AddComparison(set, "lt", Vector512.LessThan);
        AddComparison(set, "le", Vector512.LessThanOrEqual);
        AddComparison(set, "gt", Vector512.GreaterThan);
        AddComparison(set, "ge", Vector512.GreaterThanOrEqual);
        AddComparison(set, "num", BothNumbers);
        AddComparison(set, "nan", (a, b) => ~BothNumbers(a, b));
        // The unordered ones are true where a number is missing.
        AddComparison(set, "equ", (a, b) => Vector512.Equals(a, b) | ~BothNumbers(a, b));
        AddComparison(set, "neu", (a, b) => ~Vector512.Equals(a, b));
        AddComparison(set, "ltu", (a, b) => ~Vector512.GreaterThanOrEqual(a, b));
        AddComparison(set, "leu", (a, b) => ~Vector512.GreaterThan(a, b));
        AddComparison(set, "gtu", (a, b) => ~Vector512.LessThanOrEqual(a, b));
        AddComparison(set, "geu", (a, b) => ~Vector512.LessThan(a, b));
        set["testp.notanumber.f32"] = Unary(a => One(Vector512.IsNaN(F(a)).AsUInt64()));
        set["testp.finite.f32"] = Unary(a => One(Vector512.IsFinite(F(a)).AsUInt64()));
        set["testp.infinite.f32"] = Unary(a => One(Vector512.IsInfinity(F(a)).AsUInt64()));
        set["testp.number.f32"] = Unary(a => One(~Vector512.IsNaN(F(a)).AsUInt64()));
        foreach (string type in new[] { "b32", "u32", "s32", "f32", "b64", "u64", "s64" })
            set[$"selp.{type}"] = Ternary((a, b, p) => Vector512.ConditionalSelect(Vector512.Equals(One(p), Vector512<ulong>.One), a, b));
    }

    private static Vector512<float> BothNumbers(Vector512<float> a, Vector512<float> b) => ~(Vector512.IsNaN(a) | Vector512.IsNaN(b));

    private static void AddComparison(Dictionary<string, Func<InstructionDecoder, Step>> set, string name, Func<Vector512<float>, Vector512<float>, Vector512<float>> holds)
    {
        set[$"setp.{name}.f32"] = Binary((a, b) => One(holds(F(a), F(b)).AsUInt64()));
        set[$"setp.{name}.ftz.f32"] = Binary((a, b) => One(holds(Flushed(F(a)), Flushed(F(b))).AsUInt64()));
    }
}
