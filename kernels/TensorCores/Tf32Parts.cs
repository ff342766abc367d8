using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// Numbers that a kernel itself has made, as two parts which tf32 holds: the first 11 significant bits, and what is left, of which tf32 holds 11 more. So a product with both differs from
/// that with the number by 2⁻²² of it, and only what came from outside is rounded to tf32. 12 bytes a number.
/// </summary>
internal static class Tf32Parts
{
    private const int Threads = 256;

    /// <summary>Parts of a number.</summary>
    public const int Count = 2;

    public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, int, int, int>> Kernel =
        new("tf32.parts", SplitKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, int, int, int>(SplitKernel));

    /// <summary>[groups, length] to [groups, 2, length].</summary>
    public static void Run(Device device, ArrayView<float> from, ArrayView<float> to, int groups, int length)
        => Kernel.On(device)(new KernelConfig((groups * length + Threads - 1) / Threads, Threads), from, from, to, groups, length, 0);

    /// <param name="scale">[groups]: each group is multiplied by its own.</param>
    /// <inheritdoc cref="Run"/>
    public static void RunScaled(Device device, ArrayView<float> from, ArrayView<float> scale, ArrayView<float> to, int groups, int length)
        => Kernel.On(device)(new KernelConfig((groups * length + Threads - 1) / Threads, Threads), from, scale, to, groups, length, 1);

    /// <summary>The first part of a number; the second is what is left.</summary>
    public static float First(float value) => Interop.IntAsFloat(Interop.FloatAsInt(value) & ~0x1FFFu);

    private static void SplitKernel(ArrayView<float> from, ArrayView<float> scale, ArrayView<float> to, int groups, int length, int scaled)
    {
        int index = Grid.IdxX * Threads + Group.IdxX, group = index / length;
        if (group >= groups)
            return;
        float value = from[index];
        if (scaled != 0)
            value *= scale[group];
        float first = First(value);
        to[index + group * length] = first;
        to[index + group * length + length] = value - first;
    }
}
