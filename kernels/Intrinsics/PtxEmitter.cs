using System.Reflection;
using ILGPU;
using ILGPU.Backends;
using ILGPU.Backends.PTX;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;
using ILGPU.IR.Values;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// Teaches ILGPU's PTX backend own instructions: a method marked <see cref="IntrinsicImplementationAttribute"/> is what the CPU runs, and the method
/// Emit… beside it writes what CUDA runs. Arguments and results stay in registers, structs field by field.
/// </summary>
internal static class PtxEmitter
{
    /// <summary>Registers every intrinsic of a class with its Emit… method.</summary>
    public static void Register(Context.Builder builder, Type type)
    {
        var manager = builder.GetIntrinsicManager();
        foreach (var method in type.GetMethods(BindingFlags.Public | BindingFlags.Static).Where(m => m.IsDefined(typeof(IntrinsicImplementationAttribute))))
        {
            var emitter = type.GetMethod("Emit" + method.Name, BindingFlags.NonPublic | BindingFlags.Static)
                ?? throw new MissingMethodException(type.Name, "Emit" + method.Name);
            manager.RegisterMethod(method, new PTXIntrinsic(emitter, IntrinsicImplementationMode.GenerateCode));
        }
    }

    /// <summary>Names of the registers that hold an argument: one, or a struct's fields in order.</summary>
    public static string[] Argument(PTXCodeGenerator generator, Value value, int index) => Names(generator.Load(((MethodCall)value)[index]));

    /// <summary>An argument that is a constant.</summary>
    public static int Constant(PTXCodeGenerator generator, Value value, int index) => int.Parse(Argument(generator, value, index)[0], System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Names of new registers for the result.</summary>
    public static string[] Result(PTXCodeGenerator generator, Value value) => Names(generator.Allocate(value));

    /// <summary>Writes one instruction.</summary>
    public static void Write(PTXCodeGenerator generator, string instruction)
    {
        using var command = generator.BeginCommand(instruction);
    }

    /// <summary>{a, b, …}</summary>
    public static string Vector(IEnumerable<string> registers) => "{" + string.Join(", ", registers) + "}";

    private static string[] Names(PTXCodeGenerator.Register register) => register is PTXCodeGenerator.CompoundRegister compound
        ? [.. compound.Children.SelectMany(Names)]
        : [Name(register)];

    private static string Name(PTXCodeGenerator.Register register) => register switch
    {
        PTXCodeGenerator.HardwareRegister h => "%" + PTXRegisterAllocator.GetStringRepresentation(h),
        PTXCodeGenerator.ConstantRegister c when c.Value.BasicValueType == BasicValueType.Float32 => "0f" + BitConverter.SingleToUInt32Bits(c.Value.Float32Value).ToString("X8"),
        PTXCodeGenerator.ConstantRegister c => c.Value.Int64Value.ToString(System.Globalization.CultureInfo.InvariantCulture),
        _ => throw new NotSupportedException($"{register.GetType().Name} cannot be an operand."),
    };
}
