using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using ILGPU.Backends;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// Gives kernels names in their PTX that a profiler's user can read. ILGPU 1.5.3 names an entry after its C# method, so that most would be <c>Kernel_Run</c>; the same name is asked for when
/// the kernel is loaded.
/// </summary>
internal static partial class EntryNames
{
    /// <summary>ILGPU's prefix, and the kernel's name with what PTX takes in names.</summary>
    public static string Of(string kernel) => "Kernel_" + Other().Replace(kernel, "_");

    /// <summary>Renames a compiled kernel's entry, in its text and where ILGPU looks for the name.</summary>
    public static void Rename(PTXCompiledKernel compiled, SimtKernel kernel)
    {
        string before = compiled.Name;
        ref var method = ref MethodOf(ref DescriptionOf(EntryOf(compiled)));
        method = new NamedMethod(method, Other().Replace(kernel.Name, "_"));
        TextOf(compiled) = TextOf(compiled).Replace($".entry {before}(", $".entry {compiled.Name}(", StringComparison.Ordinal);
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "<PTXAssembly>k__BackingField")]
    public static extern ref string TextOf(PTXCompiledKernel kernel);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "<EntryPoint>k__BackingField")]
    private static extern ref EntryPoint EntryOf(CompiledKernel kernel);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "<Description>k__BackingField")]
    private static extern ref EntryPointDescription DescriptionOf(EntryPoint entry);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "<MethodSource>k__BackingField")]
    private static extern ref MethodInfo MethodOf(ref EntryPointDescription description);

    [GeneratedRegex(@"[^A-Za-z0-9_]")]
    private static partial Regex Other();

    /// <summary>A method under another name.</summary>
    private sealed class NamedMethod(MethodInfo method, string name) : MethodInfo
    {
        public override string Name => name;

        public override ICustomAttributeProvider ReturnTypeCustomAttributes => method.ReturnTypeCustomAttributes;

        public override MethodAttributes Attributes => method.Attributes;

        public override RuntimeMethodHandle MethodHandle => method.MethodHandle;

        public override Type? DeclaringType => method.DeclaringType;

        public override Type? ReflectedType => method.ReflectedType;

        public override MethodInfo GetBaseDefinition() => method.GetBaseDefinition();

        public override object[] GetCustomAttributes(bool inherit) => method.GetCustomAttributes(inherit);

        public override object[] GetCustomAttributes(Type attributeType, bool inherit) => method.GetCustomAttributes(attributeType, inherit);

        public override MethodImplAttributes GetMethodImplementationFlags() => method.GetMethodImplementationFlags();

        public override ParameterInfo[] GetParameters() => method.GetParameters();

        public override object? Invoke(object? obj, BindingFlags invokeAttr, Binder? binder, object?[]? parameters, CultureInfo? culture) => method.Invoke(obj, invokeAttr, binder, parameters, culture);

        public override bool IsDefined(Type attributeType, bool inherit) => method.IsDefined(attributeType, inherit);
    }
}
