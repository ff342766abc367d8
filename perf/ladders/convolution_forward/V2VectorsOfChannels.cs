using System.Runtime.Intrinsics;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Ladders.ConvolutionForward;

/// <summary>
/// The loops change places: output channels, which are neighbours in w and in y, go innermost, 16 in a vector. Every multiply-add loads w, loads y and stores y, so the loads and
/// stores set the pace, not the arithmetic.
/// </summary>
internal sealed unsafe class V2VectorsOfChannels(ConvolutionShape shape) : Rung(shape)
{
    public override string Idea => "vectors of 16 output channels innermost, sums in memory";

    public override void Run(float* x, float* y)
    {
        var s = Shape;
        Parallel.For(0, s.H, p =>
        {
            for (int q = 0; q < s.W; q++)
            {
                float* sums = y + (p * s.W + q) * s.Oc;
                new Span<float>(B, s.Oc).CopyTo(new(sums, s.Oc));
                for (int r = 0; r < 3; r++)
                    for (int t = 0; t < 3; t++)
                    {
                        int h = p + r - 1, w = q + t - 1;
                        if ((uint)h >= (uint)s.H || (uint)w >= (uint)s.W)
                            continue;
                        float* pixel = x + (h * s.W + w) * s.Ic, tap = W + (r * 3 + t) * s.Ic * s.Oc;
                        for (int c = 0; c < s.Ic; c++, tap += s.Oc)
                        {
                            var value = Vector512.Create(pixel[c]);
                            for (int o = 0; o < s.Oc; o += 16)
                                Vector512.FusedMultiplyAdd(value, Vector512.Load(tap + o), Vector512.Load(sums + o)).Store(sums + o);
                        }
                    }
                for (int o = 0; o < s.Oc; o += 16)
                    Vector512.Max(Vector512.Load(sums + o), Vector512<float>.Zero).Store(sums + o);
            }
        });
    }
}
