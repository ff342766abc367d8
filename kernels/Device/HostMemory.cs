using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime.CPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>Pointers and spans into views of the CPU accelerator, whose element access is slow: take one pointer, then walk it.</summary>
public static unsafe class HostMemory
{
    /// <summary>Address of the first element; null for an empty view.</summary>
    public static float* Pointer(ArrayView<float> view) => view.Length == 0 ? null : (float*)Unsafe.AsPointer(ref view[0]);

    /// <summary>
    /// The first address from <paramref name="stack"/> on where a cache line begins, at most <see cref="HostPrefetch.Line"/> − 1 floats later. What the stack gives begins anywhere, and a vector of 512 bits that
    /// lies on two lines is stored and loaded at half the pace.
    /// </summary>
    internal static float* AtLine(float* stack) => (float*)(((nint)stack + (HostPrefetch.Line * sizeof(float) - 1)) & -(HostPrefetch.Line * sizeof(float)));

    /// <summary>Memory of the host as a view, for a device that reads such (<see cref="Device.IsHostMemory"/>). The caller keeps it where it is as long as the view is used.</summary>
    public static ArrayView<float> View(Device device, float* values, long length)
        => length == 0 ? default : CPUMemoryBuffer.Create(device.Accelerator, (nint)values, length, sizeof(float)).AsArrayView<float>(0, length);

    /// <summary>The view as a span; at most 2³¹ − 1 elements.</summary>
    public static Span<float> Span(ArrayView<float> view) => view.Length == 0 ? default : new Span<float>(Pointer(view), checked((int)view.Length));
}
