using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// What ILGPU 1.5.3 does not do for Hopper: it writes <c>.target sm_80</c> for every newer chip, and wgmma needs <c>sm_90a</c>; and it does not ask the driver for more than 48 KB of
/// shared memory. Only kernels with <see cref="SimtKernel.Hopper"/> come here.
/// </summary>
internal static partial class HopperTarget
{
    /// <summary>The kernel's text with the head that wgmma needs; no other place rewrites one.</summary>
    public static string Rewrite(string text)
    {
        text = Target().Replace(text, ".target sm_90a", 1);
        return Version().Replace(text, version => System.Version.Parse(version.Groups[1].Value) < new Version(8, 0) ? ".version 8.0" : version.Value, 1);
    }

    /// <summary>Loads a kernel on a device of compute capability 9.0, with the shared memory that it asks for.</summary>
    /// <exception cref="InvalidOperationException">The driver refuses so much shared memory.</exception>
    public static TLauncher Load<TLauncher>(SimtKernel kernel, Accelerator accelerator)
        where TLauncher : Delegate
    {
        var cuda = (CudaAccelerator)accelerator;
        var compiled = (PTXCompiledKernel)cuda.Backend.Compile(EntryPointDescription.FromExplicitlyGroupedKernel(kernel.Method), kernel.Bounds);
        TextOf(compiled) = Rewrite(compiled.PTXAssembly);
        var loaded = (CudaKernel)cuda.LoadKernel(compiled);
        CudaDriver.GiveSharedMemory(loaded.FunctionPtr, kernel.DynamicSharedBytes);
        return OnDefaultStream<TLauncher>(loaded);
    }

    /// <summary>ILGPU's launchers take a stream first.</summary>
    private static TLauncher OnDefaultStream<TLauncher>(Kernel kernel)
        where TLauncher : Delegate
    {
        var parameters = typeof(TLauncher).GetMethod("Invoke")!.GetParameters().Select(p => Expression.Parameter(p.ParameterType)).ToArray();
        var streamed = Expression.GetActionType([typeof(AcceleratorStream), .. parameters.Select(p => p.Type)]);
        object launcher = typeof(Kernel).GetMethod(nameof(Kernel.CreateLauncherDelegate), 1, [])!.MakeGenericMethod(streamed).Invoke(kernel, null)!;
        var call = Expression.Invoke(Expression.Constant(launcher, streamed), [Expression.Constant(kernel.Accelerator.DefaultStream, typeof(AcceleratorStream)), .. parameters]);
        return Expression.Lambda<TLauncher>(call, parameters).Compile();
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "<PTXAssembly>k__BackingField")]
    private static extern ref string TextOf(PTXCompiledKernel kernel);

    [GeneratedRegex(@"\.target sm_\d+")]
    private static partial Regex Target();

    [GeneratedRegex(@"\.version (\d+\.\d+)")]
    private static partial Regex Version();
}
