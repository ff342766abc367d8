using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// The one set of ILGPU options that every device and every offline compilation uses. Not optimisation level O2: its last pass
/// moves stores and barriers across other instructions of their block (ILGPU 1.5.3). Fast32BitOnly turns a double of a kernel into
/// a float on CUDA alone, so no kernel uses double; a test checks the emitted PTX.
/// </summary>
public static class KernelContext
{
    /// <param name="runsAsItStands">
    /// For simulated warps: they run a kernel's method as the runtime compiles it. ILGPU still makes code of its own, to learn the sizes of shared memory, and throws it away, so nothing is inlined but what
    /// asks for it, and nothing else optimised: ten kernels of convolutions then load in a tenth of the time.
    /// </param>
    public static Context Create(Action<Context.Builder> devices, bool runsAsItStands = false) => Context.Create(builder =>
    {
        devices(builder);
        builder.Optimize(runsAsItStands ? OptimizationLevel.O0 : OptimizationLevel.O1);
        builder.Inlining(runsAsItStands ? InliningMode.Conservative : InliningMode.Aggressive);
        builder.Math(MathMode.Fast32BitOnly);
        PtxEmitter.Register(builder, typeof(PtxMath));
        PtxEmitter.Register(builder, typeof(MaskedAccess));
        PtxEmitter.Register(builder, typeof(OuterProduct));
        PtxEmitter.Register(builder, typeof(TensorCore));
        PtxEmitter.Register(builder, typeof(AsyncCopy));
        PtxEmitter.Register(builder, typeof(Wgmma));
        PtxEmitter.Register(builder, typeof(MemoryBarrier));
        PtxEmitter.Register(builder, typeof(TensorCopy));
    });
}
