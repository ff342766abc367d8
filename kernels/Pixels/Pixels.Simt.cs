using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

public static partial class Pixels
{
    private static void RunSimt(Device device, in PixelsShape s, ReadOnlySpan<ArrayView<float>> buffers, ArrayView<float> workspace)
    {
        int words = s.B * s.Floats;
        if (words > 0)
            Simt.Numbers.On(device)(new KernelConfig((words + Simt.Group - 1) / Simt.Group, Simt.Group), buffers[0].AsIndices(), buffers[1], s);
    }

    private static class Simt
    {
        public const int Group = 128;

        public static readonly SimtKernel<Action<KernelConfig, ArrayView<int>, ArrayView<float>, PixelsShape>> Numbers =
            new("pixels.numbers.simt", Kernel, a => a.LoadStreamKernel<ArrayView<int>, ArrayView<float>, PixelsShape>(Kernel));

        /// <summary>Four bytes a thread.</summary>
        private static void Kernel(ArrayView<int> pixels, ArrayView<float> x, PixelsShape s)
        {
            int word = Grid.IdxX * Group + ILGPU.Group.IdxX, floats = (3 * s.H * s.W + 3) / 4, length = 3 * s.H * s.W;
            if (word >= s.B * floats)
                return;
            int four = pixels[word], image = word / floats, at = word % floats * 4;
            for (int i = 0; i < 4; i++)
            {
                int number = at + i;
                if (number < length)
                    x[image * length + number] = s.Numbers.Of(number % 3, (four >> 8 * i) & 255);
            }
        }
    }
}
