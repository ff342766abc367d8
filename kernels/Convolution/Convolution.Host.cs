using ILGPU;

namespace IlgpuNetVlad.Kernels;

public static unsafe partial class Convolution
{
    private static Preparation<ConvolutionShape> DirectPreparation => new(
        HostConvolution.Prepared,
        (Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> prepared)
            => HostConvolution.Prepare(device, s, HostMemory.Pointer(v[1]), HostMemory.Pointer(prepared)),
        (Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> prepared, ArrayView<float> workspace) =>
        {
            if (s.B > 0)
                HostConvolution.Forward(device, s, HostConvolution.ForwardStrip(s, HostMemory.Pointer(v[0])), Bias(s, v), HostMemory.Pointer(v[3]), HostMemory.Pointer(prepared), HostMemory.Pointer(workspace));
        }) { Replaced = 1 };

    /// <param name="pooled">For <see cref="ForwardPooledOperation"/>.</param>
    private static Preparation<ConvolutionShape> WinogradPreparation<TFilter>(bool pooled)
        where TFilter : struct, IWinogradFilter
        => new(
        HostWinograd<TFilter>.Prepared,
        (Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> prepared)
            => HostWinograd<TFilter>.Prepare(device, s, HostMemory.Pointer(v[1]), HostMemory.Pointer(prepared)),
        (Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> prepared, ArrayView<float> workspace) =>
        {
            if (s.B > 0)
                HostWinograd<TFilter>.Forward(device, s, pooled, HostMemory.Pointer(v[0]), Bias(s, v), HostMemory.Pointer(v[3]), HostMemory.Pointer(prepared), HostMemory.Pointer(workspace));
        }) { Replaced = 1 };

    private static float* Bias(in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v) => s.HasBias != 0 ? HostMemory.Pointer(v[2]) : null;

    private static void BackwardDataHost(Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        if (s.B > 0)
            HostConvolution.BackwardData(device, s, HostMemory.Pointer(v[0]), HostMemory.Pointer(v[1]), HostMemory.Pointer(v[2]), HostMemory.Pointer(v[3]),
                HostMemory.Pointer(workspace));
    }

    private static void BackwardWeightsHost(Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        => HostWeightGradient.Run(device, s, HostConvolution.ForwardStrip(s, HostMemory.Pointer(v[0])), HostMemory.Pointer(v[1]), HostMemory.Pointer(v[2]), HostMemory.Pointer(v[3]),
            HostMemory.Pointer(v[4]), HostMemory.Pointer(workspace));

    private static void BackwardDataWinograd<TFilter>(Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        where TFilter : struct, IWinogradFilter
    {
        if (s.B > 0)
            HostWinograd<TFilter>.BackwardData(device, s, HostMemory.Pointer(v[0]), HostMemory.Pointer(v[1]), HostMemory.Pointer(v[2]), HostMemory.Pointer(v[3]),
                HostMemory.Pointer(workspace));
    }

    private static void BackwardWeightsWinograd<TFilter>(Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        where TFilter : struct, IWinogradFilter
        => HostWinogradGradient<TFilter>.Run(device, s, HostMemory.Pointer(v[0]), HostMemory.Pointer(v[1]), HostMemory.Pointer(v[2]), HostMemory.Pointer(v[3]),
            HostMemory.Pointer(v[4]), HostMemory.Pointer(workspace));
}
