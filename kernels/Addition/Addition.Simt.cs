using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

public static partial class Addition
{
    private static void RunSimt(Device device, in AdditionShape s, ReadOnlySpan<ArrayView<float>> buffers, ArrayView<float> workspace)
    {
        if (s.Length > 0)
            Simt.Add.On(device)(new KernelConfig((s.Length + Simt.Group - 1) / Simt.Group, Simt.Group), buffers[0], buffers[1], s);
    }

    private static class Simt
    {
        public const int Group = 128;

        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, AdditionShape>> Add =
            new("addition.simt", Kernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, AdditionShape>(Kernel));

        private static void Kernel(ArrayView<float> a, ArrayView<float> b, AdditionShape s)
        {
            int i = Grid.IdxX * Group + ILGPU.Group.IdxX;
            if (i < s.Length)
                a[i] += b[i];
        }
    }
}
