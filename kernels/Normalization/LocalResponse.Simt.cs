using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

public static partial class LocalResponse
{
    private static void ForwardSimt(Device device, in LocalResponseShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        if (s.Length > 0)
            Simt.Forward.On(device)(new KernelConfig((s.Length + Simt.Threads - 1) / Simt.Threads, Simt.Threads), v[0], v[1], s);
    }

    private static void BackwardSimt(Device device, in LocalResponseShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        if (s.Length > 0)
            Simt.Backward.On(device)(new KernelConfig((s.Length + Simt.Threads - 1) / Simt.Threads, Simt.Threads), v[0], v[1], v[2], s);
    }

    /// <summary>A thread a number; the windows of neighbouring threads overlap in the L1 cache.</summary>
    private static class Simt
    {
        public const int Threads = 128;

        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, LocalResponseShape>> Forward =
            new("local-response.forward.simt", ForwardKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, LocalResponseShape>(ForwardKernel));

        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, LocalResponseShape>> Backward =
            new("local-response.backward.simt", BackwardKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, LocalResponseShape>(BackwardKernel));

        private static void ForwardKernel(ArrayView<float> x, ArrayView<float> y, LocalResponseShape s)
        {
            int index = Grid.IdxX * Threads + Group.IdxX;
            if (index < s.Length)
                y[index] = x[index] * Power(Scale(x, s, index), s.Beta);
        }

        private static void BackwardKernel(ArrayView<float> x, ArrayView<float> dy, ArrayView<float> dx, LocalResponseShape s)
        {
            int index = Grid.IdxX * Threads + Group.IdxX;
            if (index >= s.Length)
                return;
            int row = index / s.C * s.C, c = index - row, half = s.Size / 2;
            float sum = 0;
            for (int j = c < half ? 0 : c - half; j < s.C && j <= c + half; j++)
            {
                float scale = Scale(x, s, row + j);
                sum = PtxMath.Fma(dy[row + j] * x[row + j], PtxMath.Divide(Power(scale, s.Beta), scale), sum);
            }
            dx[index] = dy[index] * Power(Scale(x, s, index), s.Beta) - 2 * s.AlphaOverN * s.Beta * x[index] * sum;
        }

        private static float Scale(ArrayView<float> x, LocalResponseShape s, int index)
        {
            int row = index / s.C * s.C, c = index - row, half = s.Size / 2;
            float square = 0;
            for (int j = c < half ? 0 : c - half; j < s.C && j <= c + half; j++)
                square = PtxMath.Fma(x[row + j], x[row + j], square);
            return s.K + s.AlphaOverN * square;
        }

        /// <summary>t^−β.</summary>
        public static float Power(float scale, float beta) => PtxMath.Exp2(PtxMath.Log2(scale) * -beta);
    }
}
