using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

public static partial class SgdUpdate
{
    private static void RunSimt(Device device, in SgdShape s, ReadOnlySpan<ArrayView<float>> buffers, ArrayView<float> workspace)
    {
        if (s.Length > 0)
            Simt.Update.On(device)(new KernelConfig((s.Length + Simt.Group - 1) / Simt.Group, Simt.Group), buffers[0], buffers[1], buffers[2], buffers[3], s);
    }

    private static class Simt
    {
        public const int Group = 128;

        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, SgdShape>> Update =
            new("sgd.update.simt", Kernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, SgdShape>(Kernel));

        private static void Kernel(ArrayView<float> p, ArrayView<float> g, ArrayView<float> v, ArrayView<float> scale, SgdShape s)
        {
            int i = Grid.IdxX * Group + ILGPU.Group.IdxX;
            float gradientScale = scale[0];
            // Not above 0 holds for NaN too.
            if (i >= s.Length || !(gradientScale > 0))
                return;
            float next = s.Momentum * v[i] + gradientScale * g[i] + s.WeightDecay * p[i];
            v[i] = next;
            p[i] -= s.LearningRate * next;
        }
    }
}
