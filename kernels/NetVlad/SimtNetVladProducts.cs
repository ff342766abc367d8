using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>NetVLAD's products in fp32: a group of 64 threads a local descriptor for dots, a thread a number for moments.</summary>
internal readonly struct SimtNetVladProducts : INetVladProducts
{
    private static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape, int>> DotsKernel =
        new("netvlad.dots.simt", RunDots, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape, int>(RunDots));

    private static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape>> MomentsKernel =
        new("netvlad.moments.simt", RunMoments, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape>(RunMoments));

    private static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape>> SpreadKernel =
        new("netvlad.spread.simt", RunSpread, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape>(RunSpread));

    public static IReadOnlyList<SimtKernel> ForwardKernels => [DotsKernel, MomentsKernel];

    public static IReadOnlyList<SimtKernel> BackwardKernels => [DotsKernel, MomentsKernel, SpreadKernel];

    public static long Scratch(in NetVladShape s, bool backward) => 0;

    public static int DotParts => 1;

    public static NetVladMoments MomentsOf(in NetVladShape s) => new(1, 1, s.K * s.D, 0, 1, s.D);

    public static void Dots(Device device, in NetVladShape s, ArrayView<float> x, ArrayView<float> m, ArrayView<float> result, ArrayView<float> scratch)
        => DotsKernel.On(device)(new KernelConfig(s.B * s.N, SimtSum.Threads), x, m, result, s, 0);

    public static void ImageDots(Device device, in NetVladShape s, ArrayView<float> x, ArrayView<float> m, ArrayView<float> result, ArrayView<float> scratch)
        => DotsKernel.On(device)(new KernelConfig(s.B * s.N, SimtSum.Threads), x, m, result, s, s.K * s.D);

    public static void Moments(Device device, in NetVladShape s, ArrayView<float> x, ArrayView<float> inverse, ArrayView<float> weights, ArrayView<float> result, ArrayView<float> scratch)
        => MomentsKernel.On(device)(NetVladKernels.ClusterGrid(s, s.B), x, inverse, weights, result, s);

    public static void Spread(
        Device device, in NetVladShape s, ArrayView<float> a, ArrayView<float> residual, ArrayView<float> ds, ArrayView<float> w, ArrayView<float> result, ArrayView<float> scratch)
        => SpreadKernel.On(device)(new KernelConfig(s.B * s.N, SimtSum.Threads), a, residual, ds, w, result, s);

    private static void RunDots(ArrayView<float> x, ArrayView<float> m, ArrayView<float> result, NetVladShape s, int imageStep)
    {
        int row = Grid.IdxX, start = row * s.D, from = row / s.N * imageStep;
        for (int k = Group.IdxX; k < s.K; k += SimtSum.Threads)
        {
            float sum = 0;
            for (int d = 0; d < s.D; d++)
                sum = PtxMath.Fma(x[start + d], m[from + k * s.D + d], sum);
            result[row * s.K + k] = sum;
        }
    }

    private static void RunMoments(ArrayView<float> x, ArrayView<float> inverse, ArrayView<float> weights, ArrayView<float> result, NetVladShape s)
    {
        int d = Grid.IdxX * SimtSum.Threads + Group.IdxX, k = Grid.IdxY, image = Grid.IdxZ;
        if (d >= s.D)
            return;
        float sum = 0;
        for (int i = 0; i < s.N; i++)
        {
            int row = image * s.N + i;
            sum = PtxMath.Fma(weights[row * s.K + k] * inverse[row], x[row * s.D + d], sum);
        }
        result[(image * s.K + k) * s.D + d] = sum;
    }

    private static void RunSpread(ArrayView<float> a, ArrayView<float> residual, ArrayView<float> ds, ArrayView<float> w, ArrayView<float> result, NetVladShape s)
    {
        int row = Grid.IdxX, image = row / s.N;
        for (int d = Group.IdxX; d < s.D; d += SimtSum.Threads)
        {
            float sum = 0;
            for (int k = 0; k < s.K; k++)
            {
                sum = PtxMath.Fma(a[row * s.K + k], residual[(image * s.K + k) * s.D + d], sum);
                sum = PtxMath.Fma(ds[row * s.K + k], w[k * s.D + d], sum);
            }
            result[row * s.D + d] = sum;
        }
    }
}
