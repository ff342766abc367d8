using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

public static partial class GlobalPooling
{
    /// <summary>A thread a channel of an image; neighbouring threads read neighbouring channels.</summary>
    private static class Simt
    {
        private const int Threads = 64;

        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, GlobalPoolingShape>> MaxForward =
            new("global-max.forward.simt", MaxForwardKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, GlobalPoolingShape>(MaxForwardKernel));

        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, GlobalPoolingShape>> AverageForward =
            new("global-average.forward.simt", AverageForwardKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, GlobalPoolingShape>(AverageForwardKernel));

        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, GlobalPoolingShape>> MaxBackward =
            new("global-max.backward.simt", MaxBackwardKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, GlobalPoolingShape>(MaxBackwardKernel));

        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, GlobalPoolingShape>> AverageBackward =
            new("global-average.backward.simt", AverageBackwardKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, GlobalPoolingShape>(AverageBackwardKernel));

        public static void RunForward(Device device, in GlobalPoolingShape s, bool max, ReadOnlySpan<ArrayView<float>> v)
        {
            if (s.B > 0)
                (max ? MaxForward : AverageForward).On(device)(Config(s.YLength), v[0], v[1], s);
        }

        public static void RunMaxBackward(Device device, in GlobalPoolingShape s, ReadOnlySpan<ArrayView<float>> v)
        {
            if (s.B > 0)
                MaxBackward.On(device)(Config(s.YLength), v[0], v[1], v[2], s);
        }

        public static void RunAverageBackward(Device device, in GlobalPoolingShape s, ReadOnlySpan<ArrayView<float>> v)
        {
            if (s.B > 0)
                AverageBackward.On(device)(Config(s.YLength), v[0], v[1], s);
        }

        private static KernelConfig Config(int count) => new((count + Threads - 1) / Threads, Threads);

        private static void MaxForwardKernel(ArrayView<float> x, ArrayView<float> y, GlobalPoolingShape s)
        {
            int index = Grid.IdxX * Threads + Group.IdxX;
            if (index < s.YLength)
                y[index] = x[FirstMaximum(x, s, index)];
        }

        private static void AverageForwardKernel(ArrayView<float> x, ArrayView<float> y, GlobalPoolingShape s)
        {
            int index = Grid.IdxX * Threads + Group.IdxX;
            if (index >= s.YLength)
                return;
            int at = index / s.C * s.N * s.C + index % s.C;
            float sum = 0;
            for (int n = 0; n < s.N; n++)
                sum += x[at + n * s.C];
            y[index] = PtxMath.Divide(sum, s.N);
        }

        private static void MaxBackwardKernel(ArrayView<float> x, ArrayView<float> dy, ArrayView<float> dx, GlobalPoolingShape s)
        {
            int index = Grid.IdxX * Threads + Group.IdxX;
            if (index >= s.YLength)
                return;
            int at = index / s.C * s.N * s.C + index % s.C, best = FirstMaximum(x, s, index);
            for (int n = 0; n < s.N; n++)
                dx[at + n * s.C] = at + n * s.C == best ? dy[index] : 0;
        }

        private static void AverageBackwardKernel(ArrayView<float> dy, ArrayView<float> dx, GlobalPoolingShape s)
        {
            int index = Grid.IdxX * Threads + Group.IdxX;
            if (index >= s.YLength)
                return;
            int at = index / s.C * s.N * s.C + index % s.C;
            float value = PtxMath.Divide(dy[index], s.N);
            for (int n = 0; n < s.N; n++)
                dx[at + n * s.C] = value;
        }

        private static int FirstMaximum(ArrayView<float> x, GlobalPoolingShape s, int index)
        {
            int best = index / s.C * s.N * s.C + index % s.C;
            float value = x[best];
            for (int n = 1, at = best + s.C; n < s.N; n++, at += s.C)
            {
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
