using System.Linq.Expressions;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace IlgpuNetVlad.Kernels;

/// <summary>Loads kernels on a GPU as <see cref="OfflinePtx"/> compiles them: under names that can be read, for Hopper with its head, and with the shared memory that they ask for.</summary>
internal static class CudaLoader
{
    /// <exception cref="InvalidOperationException">The driver refuses the kernel, or so much shared memory.</exception>
    public static TLauncher Load<TLauncher>(SimtKernel kernel, CudaAccelerator accelerator)
        where TLauncher : Delegate
    {
        using var compiler = new OfflinePtx(PtxTarget.Of(accelerator));
        var emitted = compiler.Emit(kernel);
        CudaKernel loaded;
        try
        {
            loaded = (CudaKernel)accelerator.LoadKernel(EntryNames.Compiled(accelerator.Context, kernel, emitted));
        }
        catch (CudaException e)
        {
            accelerator.Bind();
            throw new InvalidOperationException($"The NVIDIA driver does not take the kernel {kernel.Name} ({e.Error}, {e.Message.TrimEnd('.')}): {(CudaDriver.WordsOn(emitted.Text) is { Length: > 0 } words ? words : "it says no more, so look at nvidia-smi")}");
        }
        if (kernel.DynamicSharedBytes > 0)
            CudaDriver.GiveSharedMemory(loaded.FunctionPtr, kernel.DynamicSharedBytes);
        return OnDefaultStream<TLauncher>(loaded);
    }

    /// <summary>ILGPU's launchers take a stream first.</summary>
    internal static TLauncher OnDefaultStream<TLauncher>(Kernel kernel)
        where TLauncher : Delegate
    {
        var parameters = typeof(TLauncher).GetMethod("Invoke")!.GetParameters().Select(p => Expression.Parameter(p.ParameterType)).ToArray();
        var streamed = Expression.GetActionType([typeof(AcceleratorStream), .. parameters.Select(p => p.Type)]);
        object launcher = typeof(Kernel).GetMethod(nameof(Kernel.CreateLauncherDelegate), 1, [])!.MakeGenericMethod(streamed).Invoke(kernel, null)!;
        var call = Expression.Invoke(Expression.Constant(launcher, streamed), [Expression.Constant(kernel.Accelerator.DefaultStream, typeof(AcceleratorStream)), .. parameters]);
        return Expression.Lambda<TLauncher>(call, parameters).Compile();
    }
}
