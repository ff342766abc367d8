using System.Collections.Concurrent;
using ILGPU;
using ILGPU.Backends;
using ILGPU.Backends.PTX;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// Compiles Simt kernels to PTX on any machine, with the options of <see cref="KernelContext"/>, so that what a GPU would get can be
/// read, checked and assembled without one. ILGPU 1.5.3 writes <c>.target sm_80</c> for newer chips too; their drivers take it.
/// </summary>
public sealed class OfflinePtx : IDisposable
{
    /// <summary>What this process has compiled. A kernel's PTX does not depend on what was compiled before it, and to compile all of them takes a minute.</summary>
    private static readonly ConcurrentDictionary<SimtKernel, Lazy<string>> Texts = new();

    private readonly Context context;
    private readonly PTXBackend backend;

    public OfflinePtx()
    {
        context = KernelContext.Create(_ => { });
        backend = new PTXBackend(context, CudaArchitecture.SM_80, CudaInstructionSet.ISA_70, null!);
    }

    /// <summary>The PTX text of a kernel.</summary>
    public string Compile(SimtKernel kernel) => Texts.GetOrAdd(kernel, k => new Lazy<string>(() => Translate(k))).Value;

    private string Translate(SimtKernel kernel)
    {
        string text = CudaLoader.Compile(kernel, backend).PTXAssembly;
        // ILGPU would keep what stood between: some 25 MB a kernel.
        context.ClearCache(ClearCacheMode.Everything);
        return text;
    }

    public void Dispose()
    {
        backend.Dispose();
        context.Dispose();
    }
}
