using System.Runtime.CompilerServices;
using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>Pointers and spans into views of the CPU accelerator, whose element access is slow: take one pointer, then walk it.</summary>
public static unsafe class HostMemory
{
    /// <summary>Address of the first element; null for an empty view.</summary>
    public static float* Pointer(ArrayView<float> view) => view.Length == 0 ? null : (float*)Unsafe.AsPointer(ref view[0]);

    /// <summary>The view as a span; at most 2³¹ − 1 elements.</summary>
    public static Span<float> Span(ArrayView<float> view) => view.Length == 0 ? default : new Span<float>(Pointer(view), checked((int)view.Length));
}
