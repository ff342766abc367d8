using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using ILGPU;
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

    /// <summary>The text of a compiled kernel, under its own name.</summary>
    public static string Renamed(PTXCompiledKernel compiled, SimtKernel kernel) => compiled.PTXAssembly.Replace($".entry {compiled.Name}(", $".entry {kernel.Entry}(", StringComparison.Ordinal);

    /// <summary>What ILGPU loads: the text, whose entry it looks for under the kernel's name.</summary>
    public static PTXCompiledKernel Compiled(Context context, SimtKernel kernel, EmittedKernel emitted)
    {
        var description = EntryPointDescription.FromExplicitlyGroupedKernel(kernel.Method);
        ref var method = ref MethodOf(ref description);
        method = new NamedMethod(method, Other().Replace(kernel.Name, "_"));
        return Make(context, new EntryPoint(description, new SharedMemorySpecification(emitted.SharedBytes, emitted.HasDynamicShared), kernel.Bounds), null, emitted.Text);
    }

    [UnsafeAccessor(UnsafeAccessorKind.Constructor)]
    private static extern PTXCompiledKernel Make(Context context, EntryPoint entry, CompiledKernel.KernelInfo? info, string text);

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
