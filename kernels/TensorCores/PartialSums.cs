using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>result = Σ partial[slice], slice after slice: no atomics, so every run gives the same bits. 4 bytes a number and slice, and 4 a number.</summary>
internal static class PartialSums
{
    private const int Threads = 256;

    public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, int, int>> Kernel =
        new("partial-sums", SumKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, int, int>(SumKernel));

    /// <param name="partial">[slices, length]</param>
    public static void Run(Device device, ArrayView<float> partial, ArrayView<float> result, int length, int slices)
        => Kernel.On(device)(new KernelConfig((length + Threads - 1) / Threads, Threads), partial, result, length, slices);

    private static void SumKernel(ArrayView<float> partial, ArrayView<float> result, int length, int slices)
    {
        int index = Grid.IdxX * Threads + Group.IdxX;
        if (index >= length)
            return;
        float sum = 0;
        for (int slice = 0; slice < slices; slice++)
            sum += partial[slice * length + index];
        result[index] = sum;
    }
}
