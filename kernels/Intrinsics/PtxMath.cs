using System.Reflection;
using ILGPU;
using ILGPU.Backends;
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

    internal static void Register(Context.Builder builder)
    {
        var manager = builder.GetIntrinsicManager();
        foreach (var (name, emitter) in new[]
                 {
                     (nameof(Fma), nameof(EmitFma)), (nameof(Exp2), nameof(EmitExp2)), (nameof(Log2), nameof(EmitLog2)),
                     (nameof(Sqrt), nameof(EmitSqrt)), (nameof(Divide), nameof(EmitDivide)),
                 })
        {
            var method = typeof(PtxMath).GetMethod(name)!;
            var handler = typeof(PtxMath).GetMethod(emitter, BindingFlags.NonPublic | BindingFlags.Static)!;
            manager.RegisterMethod(method, new PTXIntrinsic(handler, IntrinsicImplementationMode.GenerateCode));
        }
    }

    private static void EmitFma(PTXBackend backend, PTXCodeGenerator generator, Value value) => Emit(generator, value, "fma.rn.f32");

    private static void EmitExp2(PTXBackend backend, PTXCodeGenerator generator, Value value) => Emit(generator, value, "ex2.approx.ftz.f32");

    private static void EmitLog2(PTXBackend backend, PTXCodeGenerator generator, Value value) => Emit(generator, value, "lg2.approx.ftz.f32");

    private static void EmitSqrt(PTXBackend backend, PTXCodeGenerator generator, Value value) => Emit(generator, value, "sqrt.rn.f32");

    private static void EmitDivide(PTXBackend backend, PTXCodeGenerator generator, Value value) => Emit(generator, value, "div.rn.f32");

    private static void Emit(PTXCodeGenerator generator, Value value, string instruction)
    {
        var call = (MethodCall)value;
        var operands = new List<string>();
        foreach (var argument in call.Nodes)
            operands.Add(Name(generator.Load(argument)));
        string result = Name(generator.Allocate(call));
        using var command = generator.BeginCommand($"{instruction} {result}, {string.Join(", ", operands)}");
    }

    private static string Name(PTXCodeGenerator.Register register) => register switch
    {
        PTXCodeGenerator.HardwareRegister h => "%" + PTXRegisterAllocator.GetStringRepresentation(h),
        PTXCodeGenerator.ConstantRegister c => "0f" + BitConverter.SingleToUInt32Bits(c.Value.Float32Value).ToString("X8"),
        _ => throw new NotSupportedException($"{register.GetType().Name} cannot be an operand."),
    };
}
