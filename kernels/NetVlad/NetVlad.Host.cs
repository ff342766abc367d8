using ILGPU;

namespace IlgpuNetVlad.Kernels;

public static unsafe partial class NetVlad
{
    private static void ForwardHost(Device device, in NetVladShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        => HostNetVlad.Forward(device, s, HostMemory.Pointer(v[0]), HostMemory.Pointer(v[1]), HostMemory.Pointer(v[2]), HostMemory.Pointer(v[3]),
            HostMemory.Pointer(v[4]), HostMemory.Pointer(workspace));

    private static void BackwardHost(Device device, in NetVladShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        => HostNetVlad.Backward(device, s, HostMemory.Pointer(v[0]), HostMemory.Pointer(v[1]), HostMemory.Pointer(v[2]), HostMemory.Pointer(v[3]), HostMemory.Pointer(v[4]),
            s.SkipData != 0 ? null : HostMemory.Pointer(v[5]), HostMemory.Pointer(v[6]), HostMemory.Pointer(v[7]), HostMemory.Pointer(v[8]), HostMemory.Pointer(workspace));
}
