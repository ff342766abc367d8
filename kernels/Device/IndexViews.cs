using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>Index buffers hold 32-bit integers in the bits of a buffer of floats; here the two meet.</summary>
public static class IndexViews
{
    /// <summary>The same memory as integers, for a kernel.</summary>
    public static ArrayView<int> AsIndices(this ArrayView<float> view)
        => ((ArrayView1D<float, Stride1D.Dense>)view).Cast<float, int>().AsContiguous();

    /// <summary>Copies integers from the host into an index buffer.</summary>
    public static void UploadIndices(this Device device, ReadOnlySpan<int> from, ArrayView<float> to)
        => device.Upload(MemoryMarshal.Cast<int, float>(from), to);
}
