namespace IlgpuNetVlad.Ptx;

internal static partial class InstructionSet
{
    private static float F(ulong bits) => BitConverter.UInt32BitsToSingle((uint)bits);

    private static ulong B(float value) => BitConverter.SingleToUInt32Bits(value);

    /// <summary>A subnormal number as a zero of its sign.</summary>
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
        AddBinary(set, "min", (a, b) => float.IsNaN(a) ? b : float.IsNaN(b) ? a : MathF.Min(a, b));
        AddBinary(set, "max", (a, b) => float.IsNaN(a) ? b : float.IsNaN(b) ? a : MathF.Max(a, b));
        AddUnary(set, "neg", a => -a);
        AddUnary(set, "abs", MathF.Abs);
        AddUnary(set, "sqrt.rn", MathF.Sqrt);
        AddUnary(set, "sqrt.approx", MathF.Sqrt);
        AddUnary(set, "rsqrt.approx", a => 1 / MathF.Sqrt(a));
        AddUnary(set, "rcp.rn", a => 1 / a);
        AddUnary(set, "rcp.approx", a => 1 / a);
        AddUnary(set, "ex2.approx", a => MathF.Pow(2, a));
        AddUnary(set, "lg2.approx", MathF.Log2);
        set["fma.rn.f32"] = Ternary((a, b, c) => B(MathF.FusedMultiplyAdd(F(a), F(b), F(c))), 2);
        set["fma.rn.ftz.f32"] = Ternary((a, b, c) => B(Flushed(MathF.FusedMultiplyAdd(Flushed(F(a)), Flushed(F(b)), Flushed(F(c))))), 2);
    }

    private static void AddBinary(Dictionary<string, Func<InstructionDecoder, Step>> set, string name, Func<float, float, float> f)
    {
        set[$"{name}.f32"] = Binary((a, b) => B(f(F(a), F(b))), 1);
        set[$"{name}.ftz.f32"] = Binary((a, b) => B(Flushed(f(Flushed(F(a)), Flushed(F(b))))), 1);
    }

    private static void AddUnary(Dictionary<string, Func<InstructionDecoder, Step>> set, string name, Func<float, float> f)
    {
        set[$"{name}.f32"] = Unary(a => B(f(F(a))), 1);
        set[$"{name}.ftz.f32"] = Unary(a => B(Flushed(f(Flushed(F(a))))), 1);
    }

    private static void AddComparisons(Dictionary<string, Func<InstructionDecoder, Step>> set)
    {
        foreach (string type in new[] { "b32", "u32", "s32", "b64", "u64", "s64" })
        {
            // Order as signed numbers of 64 bits in which the type's order is kept.
            Func<ulong, long> key = type switch
            {
                "s32" => a => (int)a,
                "u32" or "b32" => a => (uint)a,
                "s64" => a => (long)a,
                _ => a => (long)(a ^ 1ul << 63),
            };
            set[$"setp.eq.{type}"] = Binary((a, b) => key(a) == key(b) ? 1u : 0);
            set[$"setp.ne.{type}"] = Binary((a, b) => key(a) != key(b) ? 1u : 0);
            if (type[0] == 'b')
                continue;
            set[$"setp.lt.{type}"] = Binary((a, b) => key(a) < key(b) ? 1u : 0);
            set[$"setp.le.{type}"] = Binary((a, b) => key(a) <= key(b) ? 1u : 0);
            set[$"setp.gt.{type}"] = Binary((a, b) => key(a) > key(b) ? 1u : 0);
            set[$"setp.ge.{type}"] = Binary((a, b) => key(a) >= key(b) ? 1u : 0);
        }
        AddComparison(set, "eq", (a, b) => a == b);
        AddComparison(set, "ne", (a, b) => a != b && !float.IsNaN(a) && !float.IsNaN(b));
        AddComparison(set, "lt", (a, b) => a < b);
        AddComparison(set, "le", (a, b) => a <= b);
        AddComparison(set, "gt", (a, b) => a > b);
        AddComparison(set, "ge", (a, b) => a >= b);
        AddComparison(set, "num", (a, b) => !float.IsNaN(a) && !float.IsNaN(b));
        AddComparison(set, "nan", (a, b) => float.IsNaN(a) || float.IsNaN(b));
        // The unordered ones are true where a number is missing.
        AddComparison(set, "equ", (a, b) => a == b || float.IsNaN(a) || float.IsNaN(b));
        AddComparison(set, "neu", (a, b) => a != b);
        AddComparison(set, "ltu", (a, b) => !(a >= b));
        AddComparison(set, "leu", (a, b) => !(a > b));
        AddComparison(set, "gtu", (a, b) => !(a <= b));
        AddComparison(set, "geu", (a, b) => !(a < b));
        set["testp.notanumber.f32"] = Unary(a => float.IsNaN(F(a)) ? 1u : 0);
        set["testp.finite.f32"] = Unary(a => float.IsFinite(F(a)) ? 1u : 0);
        set["testp.infinite.f32"] = Unary(a => float.IsInfinity(F(a)) ? 1u : 0);
        set["testp.number.f32"] = Unary(a => float.IsNaN(F(a)) ? 0 : 1u);
        foreach (string type in new[] { "b32", "u32", "s32", "f32", "b64", "u64", "s64" })
            set[$"selp.{type}"] = Ternary((a, b, p) => (p & 1) != 0 ? a : b);
    }

    private static void AddComparison(Dictionary<string, Func<InstructionDecoder, Step>> set, string name, Func<float, float, bool> holds)
    {
        set[$"setp.{name}.f32"] = Binary((a, b) => holds(F(a), F(b)) ? 1u : 0);
        set[$"setp.{name}.ftz.f32"] = Binary((a, b) => holds(Flushed(F(a)), Flushed(F(b))) ? 1u : 0);
    }
}
