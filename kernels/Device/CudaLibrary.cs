using System.Runtime.InteropServices;
using ILGPU.Runtime.Cuda;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// Where NVIDIA's driver is found. ILGPU 1.5.3 asks the loader for <c>libcuda.so</c>, a link that only some packages of the driver bring; <c>libcuda.so.1</c> comes with each.
/// </summary>
public static class CudaLibrary
{
    static CudaLibrary()
    {
        if (!OperatingSystem.IsWindows())
            NativeLibrary.SetDllImportResolver(typeof(CudaAccelerator).Assembly, (asked, _, _) => asked == "cuda" && NativeLibrary.TryLoad(Name, out nint found) ? found : 0);
    }

    /// <summary>The name that the loader is asked for.</summary>
    public static string Name => OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1";

    /// <summary>Lets ILGPU find it; to be called before ILGPU looks for devices.</summary>
    internal static void LeadIlgpu() => System.Runtime.CompilerServices.RuntimeHelpers.RunClassConstructor(typeof(CudaLibrary).TypeHandle);
}
