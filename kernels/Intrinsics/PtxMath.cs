using ILGPU.Backends.PTX;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;
using ILGPU.IR.Values;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// One PTX instruction a method, with its meaning on the CPU as its body. Simt kernels use these instead of <see cref="MathF"/>,
/// whose transcendental functions would pull in libdevice and with it a CUDA toolkit on the user's machine.
/// </summary>
public static class PtxMath
{
    /// <summary>fma.rn.f32: a·b + c, rounded once.</summary>
    [IntrinsicImplementation]
    public static float Fma(float a, float b, float c) => MathF.FusedMultiplyAdd(a, b, c);

    /// <summary>ex2.approx.ftz.f32: 2ˣ, relative error at most 2⁻²².</summary>
    [IntrinsicImplementation]
    public static float Exp2(float x) => MathF.Pow(2, x);

    /// <summary>lg2.approx.ftz.f32: log₂ x, absolute error at most 2⁻²² near 1.</summary>
    [IntrinsicImplementation]
    public static float Log2(float x) => MathF.Log2(x);

    /// <summary>sqrt.rn.f32: correctly rounded.</summary>
    [IntrinsicImplementation]
    public static float Sqrt(float x) => MathF.Sqrt(x);

    /// <summary>div.rn.f32: a / b, correctly rounded.</summary>
    [IntrinsicImplementation]
    public static float Divide(float a, float b) => a / b;

    /// <summary>eˣ by <see cref="Exp2"/>; relative error grows with |x|·2⁻²³.</summary>
    public static float Exp(float x) => Exp2(x * 1.44269504088896f);

    /// <summary>max.NaN.f32 (sm_80): the larger one, NaN where either is.</summary>
    [IntrinsicImplementation]
    public static float Max(float a, float b) => MathF.Max(a, b);

    private static void EmitFma(PTXBackend backend, PTXCodeGenerator generator, Value value) => Emit(generator, value, "fma.rn.f32");

    private static void EmitExp2(PTXBackend backend, PTXCodeGenerator generator, Value value) => Emit(generator, value, "ex2.approx.ftz.f32");

    private static void EmitLog2(PTXBackend backend, PTXCodeGenerator generator, Value value) => Emit(generator, value, "lg2.approx.ftz.f32");

    private static void EmitSqrt(PTXBackend backend, PTXCodeGenerator generator, Value value) => Emit(generator, value, "sqrt.rn.f32");

    private static void EmitDivide(PTXBackend backend, PTXCodeGenerator generator, Value value) => Emit(generator, value, "div.rn.f32");

    private static void EmitMax(PTXBackend backend, PTXCodeGenerator generator, Value value) => Emit(generator, value, "max.NaN.f32");

    private static void Emit(PTXCodeGenerator generator, Value value, string instruction)
    {
        var operands = new List<string>();
        for (int i = 0; i < ((MethodCall)value).Count; i++)
            operands.AddRange(PtxEmitter.Argument(generator, value, i));
        PtxEmitter.Write(generator, $"{instruction} {PtxEmitter.Result(generator, value)[0]}, {string.Join(", ", operands)}");
    }
}
