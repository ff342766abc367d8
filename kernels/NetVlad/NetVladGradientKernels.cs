using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>What NetVLAD's backward pass does on CUDA between its products: groups of 64 threads, as in <see cref="NetVladKernels"/>.</summary>
internal static class NetVladGradientKernels
{
    public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape>> Unnormalize =
        new("netvlad.unnormalize", UnnormalizeKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape>(UnnormalizeKernel));

    public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape>> ClusterGradient =
        new("netvlad.cluster-gradient", ClusterGradientKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape>(ClusterGradientKernel));

    public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape, int>> LogitGradient =
        new("netvlad.logit-gradient", LogitGradientKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape, int>(LogitGradientKernel));

    public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape>> DataGradient =
        new("netvlad.data-gradient", DataGradientKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape>(DataGradientKernel));

    public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape>> Bf16DataGradient =
        new("netvlad.data-gradient.bf16", Bf16DataGradientKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape>(Bf16DataGradientKernel));

    public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape, NetVladMoments>> ParameterGradient =
        new("netvlad.parameter-gradient", ParameterGradientKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape, NetVladMoments>(ParameterGradientKernel));

    public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, NetVladShape>> BiasGradient =
        new("netvlad.bias-gradient", BiasGradientKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, NetVladShape>(BiasGradientKernel));

    public static IReadOnlyList<SimtKernel> All => [Unnormalize, ClusterGradient, LogitGradient, DataGradient, Bf16DataGradient, ParameterGradient, BiasGradient];

    /// <summary>y·dy and 1/‖vec V̂‖ of an image.</summary>
    private static void UnnormalizeKernel(ArrayView<float> workspace, ArrayView<float> y, ArrayView<float> dy, ArrayView<float> scalars, NetVladShape s)
    {
        var shared = SharedMemory.Allocate<float>(SimtSum.Threads);
        int length = s.K * s.D, start = Grid.IdxX * length;
        float along = 0;
        for (int i = Group.IdxX; i < length; i += SimtSum.Threads)
            along = PtxMath.Fma(y[start + i], dy[start + i], along);
        along = SimtSum.Over(along, shared);
        if (Group.IdxX != 0)
            return;
        scalars[2 * Grid.IdxX] = along;
        scalars[2 * Grid.IdxX + 1] = SimtSum.GradientScale(workspace[NetVladLayout.FinalAt(s) + Grid.IdxX], s.SoftFloor);
    }

    /// <summary>dV_k and c_k·dV_k of an image's cluster.</summary>
    private static void ClusterGradientKernel(ArrayView<float> workspace, ArrayView<float> y, ArrayView<float> dy, ArrayView<float> c, ArrayView<float> scalars,
        ArrayView<float> residual, ArrayView<float> centre, NetVladShape s)
    {
        var shared = SharedMemory.Allocate<float>(SimtSum.Threads);
        int image = Grid.IdxX / s.K, k = Grid.IdxX % s.K, start = Grid.IdxX * s.D, unit = NetVladLayout.ResidualAt(s) + start;
        float along = scalars[2 * image], scale = scalars[2 * image + 1], within = 0;
        for (int d = Group.IdxX; d < s.D; d += SimtSum.Threads)
            within = PtxMath.Fma(workspace[unit + d], (dy[start + d] - y[start + d] * along) * scale, within);
        within = SimtSum.Over(within, shared);
        float inner = SimtSum.GradientScale(workspace[NetVladLayout.SquareAt(s) + Grid.IdxX], s.SoftFloor), towards = 0;
        for (int d = Group.IdxX; d < s.D; d += SimtSum.Threads)
        {
            float value = ((dy[start + d] - y[start + d] * along) * scale - workspace[unit + d] * within) * inner;
            residual[start + d] = value;
            towards = PtxMath.Fma(c[k * s.D + d], value, towards);
        }
        towards = SimtSum.Over(towards, shared);
        if (Group.IdxX == 0)
            centre[Grid.IdxX] = towards;
    }

    /// <summary>ds of a local descriptor, from x·dV.</summary>
    private static void LogitGradientKernel(ArrayView<float> workspace, ArrayView<float> dots, ArrayView<float> centre, ArrayView<float> logits, NetVladShape s, int parts)
    {
        var shared = SharedMemory.Allocate<float>(SimtSum.Threads);
        int row = Grid.IdxX, image = row / s.N;
        float inverse = workspace[NetVladLayout.InverseAt(s) + row], mean = 0;
        for (int k = Group.IdxX; k < s.K; k += SimtSum.Threads)
        {
            float sum = 0;
            for (int part = 0; part < parts; part++)
                sum += dots[(row * parts + part) * s.K + k];
            sum = sum * inverse - centre[image * s.K + k];
            logits[row * s.K + k] = sum;
            mean = PtxMath.Fma(workspace[row * s.K + k], sum, mean);
        }
        mean = SimtSum.Over(mean, shared);
        for (int k = Group.IdxX; k < s.K; k += SimtSum.Threads)
            logits[row * s.K + k] = workspace[row * s.K + k] * (logits[row * s.K + k] - mean);
    }

    /// <summary>dx of a local descriptor, in the place of dx̂.</summary>
    private static void DataGradientKernel(ArrayView<float> workspace, ArrayView<float> x, ArrayView<float> dx, NetVladShape s)
    {
        var shared = SharedMemory.Allocate<float>(SimtSum.Threads);
        int row = Grid.IdxX;
        float inverse = workspace[NetVladLayout.InverseAt(s) + row], inward = 0, square = 0;
        for (int d = Group.IdxX; d < s.D; d += SimtSum.Threads)
        {
            float value = x[row * s.D + d];
            inward = PtxMath.Fma(value * inverse, dx[row * s.D + d], inward);
            square = PtxMath.Fma(value, value, square);
        }
        inward = SimtSum.Over(inward, shared);
        float scale = SimtSum.GradientScale(SimtSum.Over(square, shared), s.SoftFloor);
        for (int d = Group.IdxX; d < s.D; d += SimtSum.Threads)
            dx[row * s.D + d] = (dx[row * s.D + d] - x[row * s.D + d] * inverse * inward) * scale;
    }

    /// <summary>dx of a local descriptor from dx̂ [B,N,D], x and dx in bf16: two channels a thread, rounded once.</summary>
    private static void Bf16DataGradientKernel(ArrayView<float> workspace, ArrayView<float> x, ArrayView<float> unit, ArrayView<float> dx, NetVladShape s)
    {
        var shared = SharedMemory.Allocate<float>(SimtSum.Threads);
        int row = Grid.IdxX;
        float inverse = workspace[NetVladLayout.InverseAt(s) + row], inward = 0, square = 0;
        for (int d = 2 * Group.IdxX; d < s.D; d += 2 * SimtSum.Threads)
        {
            MapPair value = Bf16Rows.Load(x, 1, row, d, s.D), gradient = Bf16Rows.Load(unit, 0, row, d, s.D);
            inward = PtxMath.Fma(value.Second * inverse, gradient.Second, PtxMath.Fma(value.First * inverse, gradient.First, inward));
            square = PtxMath.Fma(value.Second, value.Second, PtxMath.Fma(value.First, value.First, square));
        }
        inward = SimtSum.Over(inward, shared);
        float scale = SimtSum.GradientScale(SimtSum.Over(square, shared), s.SoftFloor);
        // With what fills up the row.
        for (int d = 2 * Group.IdxX; d < 2 * Bf16Rows.RowFloats(s.D); d += 2 * SimtSum.Threads)
        {
            MapPair value = Bf16Rows.Load(x, 1, row, d, s.D), gradient = d < s.D ? Bf16Rows.Load(unit, 0, row, d, s.D) : new MapPair();
            Bf16Rows.Store(dx, 1, row, d, s.D, (gradient.First - value.First * inverse * inward) * scale, (gradient.Second - value.Second * inverse * inward) * scale);
        }
    }

    private static void ParameterGradientKernel(ArrayView<float> workspace, ArrayView<float> moments, ArrayView<float> residual,
        ArrayView<float> dw, ArrayView<float> dc, NetVladShape s, NetVladMoments m)
    {
        int d = Grid.IdxX * SimtSum.Threads + Group.IdxX, k = Grid.IdxY;
        if (d >= s.D)
            return;
        float weight = 0, centre = 0;
        for (int image = 0; image < s.B; image++)
        {
            weight += NetVladMoments.Of(moments, m, image, k, d);
            centre -= workspace[NetVladLayout.MassAt(s) + image * s.K + k] * residual[(image * s.K + k) * s.D + d];
        }
        dw[k * s.D + d] = weight;
        dc[k * s.D + d] = centre;
    }

    /// <summary>db of a cluster.</summary>
    private static void BiasGradientKernel(ArrayView<float> logits, ArrayView<float> db, NetVladShape s)
    {
        var shared = SharedMemory.Allocate<float>(SimtSum.Threads);
        float sum = 0;
        for (int row = Group.IdxX; row < s.B * s.N; row += SimtSum.Threads)
            sum += logits[row * s.K + Grid.IdxX];
        sum = SimtSum.Over(sum, shared);
        if (Group.IdxX == 0)
            db[Grid.IdxX] = sum;
    }
}
