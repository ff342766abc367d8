using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Ladders.ConvolutionForward;

/// <summary>
/// Points 0, ±5/8, ±3/2, ∞: as fast as ±1, ±2 and half as far off. The polynomials' values at the points are nearer to each other in size, so less is lost where they are subtracted.
/// </summary>
internal sealed class V7BetterPoints(ConvolutionShape shape) : V6BlocksInCache(shape, new(0.625f, 1.5f))
{
    public override string Idea => "points ±5/8, ±3/2 instead of ±1, ±2";
}
