using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>g = dy where not y ≤ 0, else 0, of rows of bf16 (<see cref="Bf16Rows"/>): ReLU's mask. A thread takes a chunk of eight numbers; 6 bytes a number.</summary>
internal static class Bf16Mask
{
    private const int Threads = 256;

    public static readonly SimtKernel<Action<KernelConfig, ArrayView<Chunk>, ArrayView<Chunk>, ArrayView<Chunk>, int>> Kernel =
        new("bf16.mask", MaskKernel, a => a.LoadStreamKernel<ArrayView<Chunk>, ArrayView<Chunk>, ArrayView<Chunk>, int>(MaskKernel));

    public static void Run(Device device, ArrayView<Chunk> gradient, ArrayView<Chunk> mask, ArrayView<Chunk> result, int chunks)
        => Kernel.On(device)(new KernelConfig((chunks + Threads - 1) / Threads, Threads), gradient, mask, result, chunks);

    private static void MaskKernel(ArrayView<Chunk> gradient, ArrayView<Chunk> mask, ArrayView<Chunk> result, int chunks)
    {
        int index = Grid.IdxX * Threads + Group.IdxX;
        if (index >= chunks)
            return;
        Chunk g = gradient[index], y = mask[index];
        result[index] = new() { X = Masked(g.X, y.X), Y = Masked(g.Y, y.Y), Z = Masked(g.Z, y.Z), W = Masked(g.W, y.W) };
    }

    private static uint Masked(uint gradient, uint y) => (Bf16Rows.Low(y) <= 0 ? 0 : gradient & 0xFFFFu) | (Bf16Rows.High(y) <= 0 ? 0 : gradient & 0xFFFF0000u);
}
