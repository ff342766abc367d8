using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

public static partial class MaxPooling
{
    private static void ForwardSimt(Device device, in PoolingShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        if (s.B > 0)
            Simt.Forward.On(device)(new KernelConfig((s.YLength + Simt.Threads - 1) / Simt.Threads, Simt.Threads), v[0], v[1], s);
    }

    private static void BackwardSimt(Device device, in PoolingShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        if (s.B > 0)
            Simt.Backward.On(device)(new KernelConfig((s.XLength + Simt.Threads - 1) / Simt.Threads, Simt.Threads), v[0], v[1], v[2], s);
    }

    /// <summary>One thread a number; neighbouring threads are neighbouring channels, so loads and stores are coalesced.</summary>
    private static class Simt
    {
        public const int Threads = 128;

        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, PoolingShape>> Forward =
            new("max-pooling.forward.simt", ForwardKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, PoolingShape>(ForwardKernel));

        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, PoolingShape>> Backward =
            new("max-pooling.backward.simt", BackwardKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, PoolingShape>(BackwardKernel));

        private static void ForwardKernel(ArrayView<float> x, ArrayView<float> y, PoolingShape s)
        {
            int index = Grid.IdxX * Threads + Group.IdxX;
            if (index >= s.YLength)
                return;
            int c = index % s.C, q = index / s.C % s.Q, p = index / s.C / s.Q % s.P, image = index / s.C / s.Q / s.P;
            y[index] = x[FirstMaximum(x, s, image, p, q, c)];
        }

        private static void BackwardKernel(ArrayView<float> x, ArrayView<float> dy, ArrayView<float> dx, PoolingShape s)
        {
            int index = Grid.IdxX * Threads + Group.IdxX;
            if (index >= s.XLength)
                return;
            int c = index % s.C, w = index / s.C % s.W, h = index / s.C / s.W % s.H, image = index / s.C / s.W / s.H;
            int firstP = h < s.Window ? 0 : (h - s.Window) / s.Stride + 1, firstQ = w < s.Window ? 0 : (w - s.Window) / s.Stride + 1;
            float sum = 0;
            for (int p = firstP; p < s.P && p * s.Stride <= h; p++)
                for (int q = firstQ; q < s.Q && q * s.Stride <= w; q++)
                    if (FirstMaximum(x, s, image, p, q, c) == index)
                        sum += dy[((image * s.P + p) * s.Q + q) * s.C + c];
            dx[index] = sum;
        }

        private static int FirstMaximum(ArrayView<float> x, PoolingShape s, int image, int p, int q, int c)
        {
            int best = ((image * s.H + p * s.Stride) * s.W + q * s.Stride) * s.C + c;
            float value = x[best];
            for (int h = p * s.Stride; h < p * s.Stride + s.Window && h < s.H; h++)
                for (int w = q * s.Stride; w < q * s.Stride + s.Window && w < s.W; w++)
                {
                    int at = ((image * s.H + h) * s.W + w) * s.C + c;
                    float other = x[at];
                    if (other > value || (float.IsNaN(other) && !float.IsNaN(value)))
                    {
                        value = other;
                        best = at;
                    }
                }
            return best;
        }
    }
}
