using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// db = Σ g over output pixels where g is rows of bf16, ReLU's mask applied: one thread two channels and a slice of pixels, so 32 threads read 128 bytes of a pixel. Each slice has sums of its
/// own in fp32, which the second kernel of the fp32 gradient adds in order. 2 bytes a number.
/// </summary>
internal static class Bf16Bias
{
    private const int Threads = 64;

    public static readonly SimtKernel<Action<KernelConfig, ArrayView<uint>, ArrayView<float>, int, int, int>> Kernel =
        new("convolution.backward-bias.bf16", SumKernel, a => a.LoadStreamKernel<ArrayView<uint>, ArrayView<float>, int, int, int>(SumKernel));

    /// <param name="partial">[slices, channels]</param>
    public static void Run(Device device, ArrayView<Chunk> gradient, ArrayView<float> partial, int pixels, int channels, int slices)
        => Kernel.On(device)(
            new KernelConfig(new Index3D((channels + 2 * Threads - 1) / (2 * Threads), slices, 1), new Index3D(Threads, 1, 1)),
            ((ArrayView1D<Chunk, Stride1D.Dense>)gradient).Cast<Chunk, uint>().AsContiguous(), partial, pixels, channels, slices);

    private static void SumKernel(ArrayView<uint> gradient, ArrayView<float> partial, int pixels, int channels, int slices)
    {
        int word = Grid.IdxX * Threads + Group.IdxX, channel = 2 * word, row = Bf16Rows.RowFloats(channels), each = (pixels + slices - 1) / slices;
        if (channel >= channels)
            return;
        int first = Grid.IdxY * each, end = first + each < pixels ? first + each : pixels;
        float low = 0, high = 0;
        for (int pixel = first; pixel < end; pixel++)
        {
            uint two = gradient[pixel * row + word];
            low += Bf16Rows.Low(two);
            high += Bf16Rows.High(two);
        }
        partial[Grid.IdxY * channels + channel] = low;
        if (channel + 1 < channels)
            partial[Grid.IdxY * channels + channel + 1] = high;
    }
}
