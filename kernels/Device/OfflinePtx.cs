using System.Collections.Concurrent;
using ILGPU;
using ILGPU.Backends.PTX;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// Compiles Simt kernels to PTX on any machine, with the options of <see cref="KernelContext"/>, so that what a GPU gets can be
/// read, checked and assembled without one. ILGPU 1.5.3 writes <c>.target sm_80</c> for newer chips too; their drivers take it. One thread at a time uses it.
/// </summary>
public sealed class OfflinePtx : IDisposable
{
    /// <summary>What this process has compiled. A kernel's PTX does not depend on what was compiled before it, and to compile all of them takes a minute.</summary>
    private static readonly ConcurrentDictionary<(SimtKernel, PtxTarget), Lazy<EmittedKernel>> Emitted = new();

    private readonly PtxTarget target;

    /// <summary>Only where a kernel has to be compiled.</summary>
    private readonly Lazy<(Context Context, PTXBackend Backend)> compiler;

    public OfflinePtx() : this(PtxTarget.Usual)
    {
    }

    internal OfflinePtx(PtxTarget target)
    {
        this.target = target;
        compiler = new(() =>
        {
            var context = KernelContext.Create(_ => { });
            return (context, new PTXBackend(context, target.Chip, target.Version, null!));
        });
    }

    /// <summary>The PTX text of a kernel.</summary>
    public string Compile(SimtKernel kernel) => Emit(kernel).Text;

    /// <summary>Compiles kernels on all cores, for whoever asks for them later.</summary>
    public static void CompileAll(IEnumerable<SimtKernel> kernels, CancellationToken token = default) => CompileAll(kernels, PtxTarget.Usual, token);

    internal static void CompileAll(IEnumerable<SimtKernel> kernels, PtxTarget target, CancellationToken token)
    {
        var cores = new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = token };
        Parallel.ForEach(kernels.Where(k => !Emitted.ContainsKey((k, target))), cores, () => new OfflinePtx(target), (kernel, _, compiler) =>
        {
            compiler.Emit(kernel);
            return compiler;
        }, compiler => compiler.Dispose());
    }

    internal EmittedKernel Emit(SimtKernel kernel) => Emitted.GetOrAdd((kernel, target), key => new Lazy<EmittedKernel>(() => KeptKernels.Find(key.Item1, key.Item2) ?? Translate(key.Item1))).Value;

    private EmittedKernel Translate(SimtKernel kernel)
    {
        KeptKernels.TellOfCompilation();
        var (context, backend) = compiler.Value;
        var emitted = EmittedKernel.Compile(kernel, backend);
        // ILGPU would keep what stood between, some 25 MB a kernel; and what it optimised for one kernel it would take for the next, whose arrays of registers then went to local memory (ILGPU 1.5.3).
        context.ClearCache(ClearCacheMode.Everything);
        KeptKernels.Keep(kernel, target, emitted);
        return emitted;
    }

    public void Dispose()
    {
        if (!compiler.IsValueCreated)
            return;
        compiler.Value.Backend.Dispose();
        compiler.Value.Context.Dispose();
    }
}
