using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Ladders.ConvolutionForward;

/// <summary>
/// One way to compute y = max(0, conv(x, w) + b) for 3×3 taps, stride 1, padding 1: x [1,H,W,Ic], w [3,3,Ic,Oc], b [Oc], y [1,H,W,Oc], Ic a multiple of 16 and Oc of 64 (so that nothing
/// of a rung has to be about tails). Rows of pixels, or blocks of tiles, go to all cores.
/// </summary>
internal abstract unsafe class Rung(ConvolutionShape shape) : IDisposable
{
    protected ConvolutionShape Shape { get; } = shape;

    /// <summary>What it does that the rung before did not.</summary>
    public abstract string Idea { get; }

    /// <summary>Once for all images: packs or transforms weights.</summary>
    public virtual void Prepare(float* w, float* b)
    {
        W = w;
        B = b;
    }

    public abstract void Run(float* x, float* y);

    protected float* W { get; private set; }

    protected float* B { get; private set; }

    public virtual void Dispose()
    {
    }
}
