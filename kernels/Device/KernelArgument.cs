using System.Linq.Expressions;
using System.Reflection;
using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>One argument of a launch: a view of host memory, or a value.</summary>
/// <param name="Pointer">Of a view: its first byte; 0 for an empty one.</param>
/// <param name="Length">Of a view: its elements.</param>
/// <param name="Bytes">Of a view: the bytes of those.</param>
/// <param name="BufferOffset">Of a view: where it begins in its buffer, in bytes; buffers of a GPU begin at multiples of 256.</param>
/// <param name="Value">Of a value: its bytes, as CUDA takes them; null for a view.</param>
public readonly record struct KernelArgument(nint Pointer, long Length, long Bytes, long BufferOffset, byte[]? Value)
{
    private static readonly MethodInfo View = Method(nameof(OfView)), Plain = Method(nameof(OfValue));

    /// <summary>A launcher of ILGPU's kind that hands its arguments to another.</summary>
    internal static TLauncher Hand<TLauncher>(SimtKernel kernel, IKernelLauncher launcher)
        where TLauncher : Delegate
    {
        var parameters = typeof(TLauncher).GetMethod("Invoke")!.GetParameters().Select(p => Expression.Parameter(p.ParameterType)).ToArray();
        var arguments = parameters.Skip(1).Select(p => p.Type.IsGenericType && p.Type.GetGenericTypeDefinition() == typeof(ArrayView<>)
            ? Expression.Call(View.MakeGenericMethod(p.Type.GetGenericArguments()), p)
            : Expression.Call(Plain.MakeGenericMethod(p.Type), p));
        var call = Expression.Call(
            Expression.Constant(launcher), typeof(IKernelLauncher).GetMethod(nameof(IKernelLauncher.Launch))!,
            Expression.Constant(kernel), parameters[0], Expression.NewArrayInit(typeof(KernelArgument), arguments));
        return Expression.Lambda<TLauncher>(call, parameters).Compile();
    }

    private static KernelArgument OfView<T>(ArrayView<T> view)
        where T : unmanaged
        => view.Length == 0
            ? default
            : new(view.LoadEffectiveAddressAsPtr(), view.Length, view.LengthInBytes, ((IContiguousArrayView)view).IndexInBytes, null);

    private static KernelArgument OfValue<T>(T value)
        where T : unmanaged
        => new(0, 0, 0, 0, MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)).ToArray());

    private static MethodInfo Method(string name) => typeof(KernelArgument).GetMethod(name, BindingFlags.NonPublic | BindingFlags.Static)!;
}
