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
    public static Context Create(Action<Context.Builder> devices) => Context.Create(builder =>
    {
        devices(builder);
        builder.Inlining(InliningMode.Aggressive);
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
