using ILGPU;

namespace IlgpuNetVlad.Kernels;

public static unsafe partial class Convolution
{
    private static void ForwardHost(Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        if (s.B > 0)
            HostConvolution.Forward(device, s, HostMemory.Pointer(v[0]), HostMemory.Pointer(v[1]), s.HasBias != 0 ? HostMemory.Pointer(v[2]) : null,
                HostMemory.Pointer(v[3]), HostMemory.Pointer(workspace));
    }

    private static void BackwardDataHost(Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        if (s.B > 0)
            HostConvolution.BackwardData(device, s, HostMemory.Pointer(v[0]), HostMemory.Pointer(v[1]), HostMemory.Pointer(v[2]), HostMemory.Pointer(v[3]),
                HostMemory.Pointer(workspace));
    }

    private static void BackwardWeightsHost(Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        => HostWeightGradient.Run(device, s, HostMemory.Pointer(v[0]), HostMemory.Pointer(v[1]), HostMemory.Pointer(v[2]), HostMemory.Pointer(v[3]),
            HostMemory.Pointer(v[4]), HostMemory.Pointer(workspace));

    private static void ForwardWinograd(Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        if (s.B > 0)
            HostWinograd.Forward(device, s, HostMemory.Pointer(v[0]), HostMemory.Pointer(v[1]), s.HasBias != 0 ? HostMemory.Pointer(v[2]) : null,
                HostMemory.Pointer(v[3]), HostMemory.Pointer(workspace));
    }

    private static void BackwardDataWinograd(Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        if (s.B > 0)
            HostWinograd.BackwardData(device, s, HostMemory.Pointer(v[0]), HostMemory.Pointer(v[1]), HostMemory.Pointer(v[2]), HostMemory.Pointer(v[3]),
                HostMemory.Pointer(workspace));
    }

    private static void BackwardWeightsWinograd(Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        => HostWinogradGradient.Run(device, s, HostMemory.Pointer(v[0]), HostMemory.Pointer(v[1]), HostMemory.Pointer(v[2]), HostMemory.Pointer(v[3]),
            HostMemory.Pointer(v[4]), HostMemory.Pointer(workspace));
}
