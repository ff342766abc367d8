using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>dw = Σ partial[slice] of <see cref="TensorCoreBackwardWeights{TTile, TNumbers}"/>, slice after slice: no atomics, so every run gives the same bits.</summary>
internal static class TensorCoreSlices
{
    private const int Threads = 256;

    public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, int, int>> Sum =
        new("convolution.backward-weights.sum", SumKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, int, int>(SumKernel));

    public static void Run(Device device, ArrayView<float> partial, ArrayView<float> dw, int length, int slices)
        => Sum.On(device)(new KernelConfig((length + Threads - 1) / Threads, Threads), partial, dw, length, slices);

    private static void SumKernel(ArrayView<float> partial, ArrayView<float> dw, int length, int slices)
    {
        int index = Grid.IdxX * Threads + Group.IdxX;
        if (index >= length)
            return;
        float sum = 0;
        for (int slice = 0; slice < slices; slice++)
            sum += partial[slice * length + index];
        dw[index] = sum;
    }
}
