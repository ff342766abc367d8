using System.Runtime.Intrinsics;

namespace IlgpuNetVlad.Ptx;

internal static partial class InstructionSet
{
    private static void AddIntegers(Dictionary<string, Func<InstructionDecoder, Step>> set)
    {
        foreach (string type in new[] { "b16", "b32", "u32", "s32", "f32" })
            set[$"mov.{type}"] = Unary(Low);
        foreach (string type in new[] { "b64", "u64", "s64", "f64", "pred" })
            set[$"mov.{type}"] = Unary(a => a);
        foreach (string type in new[] { "s32", "u32" })
        {
            set[$"add.{type}"] = Binary((a, b) => Low(a + b));
            set[$"sub.{type}"] = Binary((a, b) => Low(a - b));
            set[$"mul.lo.{type}"] = Binary((a, b) => Low(a * b));
            set[$"mad.lo.{type}"] = Ternary((a, b, c) => Low(a * b + c));
        }
        foreach (string type in new[] { "s64", "u64" })
        {
            set[$"add.{type}"] = Binary((a, b) => a + b);
            set[$"sub.{type}"] = Binary((a, b) => a - b);
            set[$"mul.lo.{type}"] = Binary((a, b) => a * b);
            set[$"mad.lo.{type}"] = Ternary((a, b, c) => a * b + c);
        }
        set["mul.wide.u32"] = Binary((a, b) => Low(a) * Low(b));
        set["mul.wide.s32"] = Binary((a, b) => Signed(a) * Signed(b));
        set["mad.wide.u32"] = Ternary((a, b, c) => Low(a) * Low(b) + c);
        set["mad.wide.s32"] = Ternary((a, b, c) => Signed(a) * Signed(b) + c);
        set["mul.hi.u32"] = Binary((a, b) => Low(a) * Low(b) >> 32);
        set["mul.hi.s32"] = Binary((a, b) => Signed(a) * Signed(b) >> 32);
        // A division by zero gives what the hardware gives: all bits set, and the dividend as the remainder.
        set["div.u32"] = BinaryOfLane((a, b) => (uint)b == 0 ? uint.MaxValue : (uint)a / (uint)b);
        set["rem.u32"] = BinaryOfLane((a, b) => (uint)b == 0 ? (uint)a : (uint)a % (uint)b);
        set["div.s32"] = BinaryOfLane((a, b) => (int)b == 0 ? uint.MaxValue : (uint)((long)(int)a / (int)b));
        set["rem.s32"] = BinaryOfLane((a, b) => (int)b == 0 ? (uint)a : (uint)((long)(int)a % (int)b));
        set["div.u64"] = BinaryOfLane((a, b) => b == 0 ? ulong.MaxValue : a / b);
        set["rem.u64"] = BinaryOfLane((a, b) => b == 0 ? a : a % b);
        set["div.s64"] = BinaryOfLane((a, b) => b == 0 ? ulong.MaxValue : (ulong)(long)((Int128)(long)a / (long)b));
        set["rem.s64"] = BinaryOfLane((a, b) => b == 0 ? a : (ulong)(long)((Int128)(long)a % (long)b));
        set["min.s32"] = Binary((a, b) => Low(Vector512.Min(Signed(a).AsInt64(), Signed(b).AsInt64()).AsUInt64()));
        set["max.s32"] = Binary((a, b) => Low(Vector512.Max(Signed(a).AsInt64(), Signed(b).AsInt64()).AsUInt64()));
        set["min.u32"] = Binary((a, b) => Vector512.Min(Low(a), Low(b)));
        set["max.u32"] = Binary((a, b) => Vector512.Max(Low(a), Low(b)));
        set["neg.s32"] = Unary(a => Low(-a));
        set["neg.s64"] = Unary(a => -a);
        set["abs.s32"] = Unary(a => Low(Vector512.Abs(Signed(a).AsInt64()).AsUInt64()));
        foreach (string type in new[] { "b32", "b64", "pred" })
        {
            var bits = Vector512.Create(type == "b32" ? uint.MaxValue : type == "b64" ? ulong.MaxValue : 1);
            set[$"and.{type}"] = Binary((a, b) => a & b & bits);
            set[$"or.{type}"] = Binary((a, b) => (a | b) & bits);
            set[$"xor.{type}"] = Binary((a, b) => (a ^ b) & bits);
            set[$"not.{type}"] = Unary(a => ~a & bits);
        }
        // Shifts by more than there are bits clamp, other than in C#.
        set["shl.b32"] = BinaryOfLane((a, n) => (uint)n > 31 ? 0 : (uint)a << (int)n);
        set["shr.u32"] = set["shr.b32"] = BinaryOfLane((a, n) => (uint)n > 31 ? 0 : (uint)a >> (int)n);
        set["shr.s32"] = BinaryOfLane((a, n) => (uint)((int)a >> (int)Math.Min((uint)n, 31)));
        set["shl.b64"] = BinaryOfLane((a, n) => (uint)n > 63 ? 0 : a << (int)n);
        set["shr.u64"] = set["shr.b64"] = BinaryOfLane((a, n) => (uint)n > 63 ? 0 : a >> (int)n);
        set["shr.s64"] = BinaryOfLane((a, n) => (ulong)((long)a >> (int)Math.Min((uint)n, 63)));
    }
}
