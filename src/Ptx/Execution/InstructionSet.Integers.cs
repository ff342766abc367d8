namespace IlgpuNetVlad.Ptx;

internal static partial class InstructionSet
{
    private static void AddIntegers(Dictionary<string, Func<InstructionDecoder, Step>> set)
    {
        foreach (string type in new[] { "b16", "b32", "u32", "s32", "f32" })
            set[$"mov.{type}"] = Unary(a => (uint)a);
        foreach (string type in new[] { "b64", "u64", "s64", "f64", "pred" })
            set[$"mov.{type}"] = Unary(a => a);
        foreach (string type in new[] { "s32", "u32" })
        {
            set[$"add.{type}"] = Binary((a, b) => (uint)a + (uint)b);
            set[$"sub.{type}"] = Binary((a, b) => (uint)a - (uint)b);
            set[$"mul.lo.{type}"] = Binary((a, b) => (uint)a * (uint)b);
            set[$"mad.lo.{type}"] = Ternary((a, b, c) => (uint)a * (uint)b + (uint)c);
        }
        foreach (string type in new[] { "s64", "u64" })
        {
            set[$"add.{type}"] = Binary((a, b) => a + b);
            set[$"sub.{type}"] = Binary((a, b) => a - b);
            set[$"mul.lo.{type}"] = Binary((a, b) => a * b);
            set[$"mad.lo.{type}"] = Ternary((a, b, c) => a * b + c);
        }
        set["mul.wide.u32"] = Binary((a, b) => (ulong)(uint)a * (uint)b);
        set["mul.wide.s32"] = Binary((a, b) => (ulong)((long)(int)a * (int)b));
        set["mad.wide.u32"] = Ternary((a, b, c) => (ulong)(uint)a * (uint)b + c);
        set["mad.wide.s32"] = Ternary((a, b, c) => (ulong)((long)(int)a * (int)b) + c);
        set["mul.hi.u32"] = Binary((a, b) => (ulong)(uint)a * (uint)b >> 32);
        set["mul.hi.s32"] = Binary((a, b) => (uint)((long)(int)a * (int)b >> 32));
        // A division by zero gives what the hardware gives: all bits set, and the dividend as the remainder.
        set["div.u32"] = Binary((a, b) => (uint)b == 0 ? uint.MaxValue : (uint)a / (uint)b);
        set["rem.u32"] = Binary((a, b) => (uint)b == 0 ? (uint)a : (uint)a % (uint)b);
        set["div.s32"] = Binary((a, b) => (int)b == 0 ? uint.MaxValue : (uint)((long)(int)a / (int)b));
        set["rem.s32"] = Binary((a, b) => (int)b == 0 ? (uint)a : (uint)((long)(int)a % (int)b));
        set["div.u64"] = Binary((a, b) => b == 0 ? ulong.MaxValue : a / b);
        set["rem.u64"] = Binary((a, b) => b == 0 ? a : a % b);
        set["div.s64"] = Binary((a, b) => b == 0 ? ulong.MaxValue : (ulong)(long)((Int128)(long)a / (long)b));
        set["rem.s64"] = Binary((a, b) => b == 0 ? a : (ulong)(long)((Int128)(long)a % (long)b));
        set["min.s32"] = Binary((a, b) => (uint)Math.Min((int)a, (int)b));
        set["max.s32"] = Binary((a, b) => (uint)Math.Max((int)a, (int)b));
        set["min.u32"] = Binary((a, b) => Math.Min((uint)a, (uint)b));
        set["max.u32"] = Binary((a, b) => Math.Max((uint)a, (uint)b));
        set["neg.s32"] = Unary(a => (uint)-(int)a);
        set["neg.s64"] = Unary(a => (ulong)-(long)a);
        set["abs.s32"] = Unary(a => (uint)((int)a < 0 ? -(int)a : (int)a));
        foreach (string type in new[] { "b32", "b64", "pred" })
        {
            ulong bits = type == "b32" ? uint.MaxValue : type == "b64" ? ulong.MaxValue : 1;
            set[$"and.{type}"] = Binary((a, b) => a & b & bits);
            set[$"or.{type}"] = Binary((a, b) => (a | b) & bits);
            set[$"xor.{type}"] = Binary((a, b) => (a ^ b) & bits);
            set[$"not.{type}"] = Unary(a => ~a & bits);
        }
        // Shifts by more than there are bits clamp, other than in C#.
        set["shl.b32"] = Binary((a, n) => (uint)n > 31 ? 0 : (uint)a << (int)n);
        set["shr.u32"] = set["shr.b32"] = Binary((a, n) => (uint)n > 31 ? 0 : (uint)a >> (int)n);
        set["shr.s32"] = Binary((a, n) => (uint)((int)a >> (int)Math.Min((uint)n, 31)));
        set["shl.b64"] = Binary((a, n) => (uint)n > 63 ? 0 : a << (int)n);
        set["shr.u64"] = set["shr.b64"] = Binary((a, n) => (uint)n > 63 ? 0 : a >> (int)n);
        set["shr.s64"] = Binary((a, n) => (ulong)((long)a >> (int)Math.Min((uint)n, 63)));
    }
}
