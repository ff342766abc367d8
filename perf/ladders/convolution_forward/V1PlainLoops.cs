using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Ladders.ConvolutionForward;

/// <summary>The formula as it stands. The innermost loop walks along w's input channels, Oc numbers apart: each step waits for another line of the cache, and one sum waits for itself.</summary>
internal sealed unsafe class V1PlainLoops(ConvolutionShape shape) : Rung(shape)
{
    public override string Idea => "plain loops, the sum innermost";

    public override void Run(float* x, float* y)
    {
        var s = Shape;
        Parallel.For(0, s.H, p =>
        {
            for (int q = 0; q < s.W; q++)
                for (int o = 0; o < s.Oc; o++)
                {
                    float sum = B[o];
                    for (int r = 0; r < 3; r++)
                        for (int t = 0; t < 3; t++)
                        {
                            int h = p + r - 1, w = q + t - 1;
                            if ((uint)h >= (uint)s.H || (uint)w >= (uint)s.W)
                                continue;
                            float* pixel = x + (h * s.W + w) * s.Ic, tap = W + (r * 3 + t) * s.Ic * s.Oc + o;
                            for (int c = 0; c < s.Ic; c++)
                                sum += pixel[c] * tap[c * s.Oc];
                        }
                    y[(p * s.W + q) * s.Oc + o] = Math.Max(0, sum);
                }
        });
    }
}
