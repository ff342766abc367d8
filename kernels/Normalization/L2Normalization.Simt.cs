using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

public static partial class L2Normalization
{
    private static void ForwardSimt(Device device, in RowsShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        if (s.Rows > 0)
            Simt.Forward.On(device)(new KernelConfig(s.Rows, SimtSum.Threads), v[0], v[1], s);
    }

    private static void BackwardSimt(Device device, in RowsShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        if (s.Rows > 0)
            Simt.Backward.On(device)(new KernelConfig(s.Rows, SimtSum.Threads), v[0], v[1], v[2], v[3], s);
    }

    /// <summary>A group a row: each thread sums every 64th number, a tree in shared memory adds the threads.</summary>
    private static class Simt
    {
        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, RowsShape>> Forward =
            new("l2-normalization.forward.simt", ForwardKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, RowsShape>(ForwardKernel));

        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, RowsShape>> Backward =
            new("l2-normalization.backward.simt", BackwardKernel,
                a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, RowsShape>(BackwardKernel));

        private static void ForwardKernel(ArrayView<float> x, ArrayView<float> y, RowsShape s)
        {
            var shared = SharedMemory.Allocate<float>(SimtSum.Threads);
            int start = Grid.IdxX * s.D;
            float square = 0;
            for (int i = Group.IdxX; i < s.D; i += SimtSum.Threads)
                square = PtxMath.Fma(x[start + i], x[start + i], square);
            float norm = SimtSum.Norm(SimtSum.Over(square, shared), s.SoftFloor);
            for (int i = Group.IdxX; i < s.D; i += SimtSum.Threads)
                y[start + i] = PtxMath.Divide(x[start + i], norm);
        }

        private static void BackwardKernel(ArrayView<float> x, ArrayView<float> y, ArrayView<float> dy, ArrayView<float> dx, RowsShape s)
        {
            var shared = SharedMemory.Allocate<float>(SimtSum.Threads);
            int start = Grid.IdxX * s.D;
            float square = 0, along = 0;
            for (int i = Group.IdxX; i < s.D; i += SimtSum.Threads)
            {
                square = PtxMath.Fma(x[start + i], x[start + i], square);
                along = PtxMath.Fma(y[start + i], dy[start + i], along);
            }
            square = SimtSum.Over(square, shared);
            along = SimtSum.Over(along, shared);
            float scale = SimtSum.GradientScale(square, s.SoftFloor);
            for (int i = Group.IdxX; i < s.D; i += SimtSum.Threads)
                dx[start + i] = (dy[start + i] - y[start + i] * along) * scale;
        }
    }
}
