using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>What NetVLAD's forward pass does on CUDA between its products: groups of 64 threads, one a local descriptor, a cluster of an image, or an image.</summary>
internal static class NetVladKernels
{
    public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape>> Soften =
        new("netvlad.soften", SoftenKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape>(SoftenKernel));

    public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape, NetVladMoments>> Residual =
        new("netvlad.residual", ResidualKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, NetVladShape, NetVladMoments>(ResidualKernel));

    public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, NetVladShape>> Intra =
        new("netvlad.intra-normalization", IntraKernel, a => a.LoadStreamKernel<ArrayView<float>, NetVladShape>(IntraKernel));

    public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, NetVladShape>> Final =
        new("netvlad.final-normalization", FinalKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, NetVladShape>(FinalKernel));

    public static IReadOnlyList<SimtKernel> All => [Soften, Residual, Intra, Final];

    public static KernelConfig ClusterGrid(NetVladShape s, int images)
        => new(new Index3D((s.D + SimtSum.Threads - 1) / SimtSum.Threads, s.K, images), new Index3D(SimtSum.Threads, 1, 1));

    /// <summary>1/‖x‖ and the assignments of a local descriptor, in the place of the dots x·w.</summary>
    private static void SoftenKernel(ArrayView<float> x, ArrayView<float> b, ArrayView<float> workspace, NetVladShape s)
    {
        var shared = SharedMemory.Allocate<float>(SimtSum.Threads);
        int row = Grid.IdxX, start = row * s.D, to = row * s.K;
        float square = 0;
        if (s.XBf16 != 0)
            for (int d = 2 * Group.IdxX; d < s.D; d += 2 * SimtSum.Threads)
            {
                var pair = Bf16Rows.Load(x, 1, row, d, s.D);
                square = PtxMath.Fma(pair.Second, pair.Second, PtxMath.Fma(pair.First, pair.First, square));
            }
        else
            for (int d = Group.IdxX; d < s.D; d += SimtSum.Threads)
                square = PtxMath.Fma(x[start + d], x[start + d], square);
        float inverse = PtxMath.Divide(1, SimtSum.Norm(SimtSum.Over(square, shared), s.SoftFloor));
        float largest = float.NegativeInfinity;
        for (int k = Group.IdxX; k < s.K; k += SimtSum.Threads)
        {
            float logit = workspace[to + k] * inverse;
            if (s.HasBias != 0)
                logit += b[k];
            workspace[to + k] = logit;
            largest = largest > logit ? largest : logit;
        }
        shared[Group.IdxX] = largest;
        Group.Barrier();
        for (int half = SimtSum.Threads / 2; half > 0; half /= 2)
        {
            if (Group.IdxX < half && shared[Group.IdxX + half] > shared[Group.IdxX])
                shared[Group.IdxX] = shared[Group.IdxX + half];
            Group.Barrier();
        }
        largest = shared[0];
        Group.Barrier();
        float total = 0;
        for (int k = Group.IdxX; k < s.K; k += SimtSum.Threads)
        {
            float value = PtxMath.Exp(workspace[to + k] - largest);
            workspace[to + k] = value;
            total += value;
        }
        total = SimtSum.Over(total, shared);
        for (int k = Group.IdxX; k < s.K; k += SimtSum.Threads)
            workspace[to + k] = PtxMath.Divide(workspace[to + k], total);
        if (Group.IdxX == 0)
            workspace[NetVladLayout.InverseAt(s) + row] = inverse;
    }

    /// <summary>Mass Σ_i a_ik of an image's cluster, and V_k.</summary>
    private static void ResidualKernel(ArrayView<float> moments, ArrayView<float> c, ArrayView<float> workspace, NetVladShape s, NetVladMoments m)
    {
        var shared = SharedMemory.Allocate<float>(SimtSum.Threads);
        int image = Grid.IdxX / s.K, k = Grid.IdxX % s.K;
        float mass = 0;
        for (int i = Group.IdxX; i < s.N; i += SimtSum.Threads)
            mass += workspace[(image * s.N + i) * s.K + k];
        mass = SimtSum.Over(mass, shared);
        for (int d = Group.IdxX; d < s.D; d += SimtSum.Threads)
        {
            float sum = NetVladMoments.Of(moments, m, image, k, d);
            workspace[NetVladLayout.ResidualAt(s) + Grid.IdxX * s.D + d] = sum - mass * c[k * s.D + d];
        }
        if (Group.IdxX == 0)
            workspace[NetVladLayout.MassAt(s) + Grid.IdxX] = mass;
    }

    private static void IntraKernel(ArrayView<float> workspace, NetVladShape s)
    {
        var shared = SharedMemory.Allocate<float>(SimtSum.Threads);
        int start = NetVladLayout.ResidualAt(s) + Grid.IdxX * s.D;
        float square = 0;
        for (int d = Group.IdxX; d < s.D; d += SimtSum.Threads)
            square = PtxMath.Fma(workspace[start + d], workspace[start + d], square);
        square = SimtSum.Over(square, shared);
        float norm = SimtSum.Norm(square, s.SoftFloor);
        for (int d = Group.IdxX; d < s.D; d += SimtSum.Threads)
            workspace[start + d] = PtxMath.Divide(workspace[start + d], norm);
        if (Group.IdxX == 0)
            workspace[NetVladLayout.SquareAt(s) + Grid.IdxX] = square;
    }

    private static void FinalKernel(ArrayView<float> workspace, ArrayView<float> y, NetVladShape s)
    {
        var shared = SharedMemory.Allocate<float>(SimtSum.Threads);
        int length = s.K * s.D, from = NetVladLayout.ResidualAt(s) + Grid.IdxX * length, to = Grid.IdxX * length;
        float square = 0;
        for (int i = Group.IdxX; i < length; i += SimtSum.Threads)
            square = PtxMath.Fma(workspace[from + i], workspace[from + i], square);
        square = SimtSum.Over(square, shared);
        float norm = SimtSum.Norm(square, s.SoftFloor);
        for (int i = Group.IdxX; i < length; i += SimtSum.Threads)
            y[to + i] = PtxMath.Divide(workspace[from + i], norm);
        if (Group.IdxX == 0)
            workspace[NetVladLayout.FinalAt(s) + Grid.IdxX] = square;
    }
}
