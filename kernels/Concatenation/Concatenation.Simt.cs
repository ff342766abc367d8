using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

public static partial class Concatenation
{
    /// <summary>A thread a number of y: loads and stores are coalesced but for the seam.</summary>
    private static class Simt
    {
        private const int Threads = 128;

        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, ConcatenationShape>> Join =
            new("concatenation.forward.simt", JoinKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, ConcatenationShape>(JoinKernel));

        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, ConcatenationShape>> Part =
            new("concatenation.backward.simt", PartKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, ConcatenationShape>(PartKernel));

        public static void Run(Device device, SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, ConcatenationShape>> kernel,
            in ConcatenationShape s, ArrayView<float> a, ArrayView<float> b, ArrayView<float> y)
        {
            if (s.Pixels > 0)
                kernel.On(device)(new KernelConfig((s.Pixels * (s.C1 + s.C2) + Threads - 1) / Threads, Threads), a, b, y, s);
        }

        private static void JoinKernel(ArrayView<float> a, ArrayView<float> b, ArrayView<float> y, ConcatenationShape s)
        {
            int index = Grid.IdxX * Threads + Group.IdxX, pixel = index / (s.C1 + s.C2), c = index % (s.C1 + s.C2);
            if (pixel >= s.Pixels)
                return;
            if (c < s.C1)
                y[index] = a[pixel * s.C1 + c];
            else
                y[index] = b[pixel * s.C2 + c - s.C1];
        }

        private static void PartKernel(ArrayView<float> da, ArrayView<float> db, ArrayView<float> dy, ConcatenationShape s)
        {
            int index = Grid.IdxX * Threads + Group.IdxX, pixel = index / (s.C1 + s.C2), c = index % (s.C1 + s.C2);
            if (pixel >= s.Pixels)
                return;
            if (c < s.C1)
                da[pixel * s.C1 + c] = dy[index];
            else
                db[pixel * s.C2 + c - s.C1] = dy[index];
        }
    }
}
