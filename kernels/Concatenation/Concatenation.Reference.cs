using ILGPU;

namespace IlgpuNetVlad.Kernels;

public static partial class Concatenation
{
    private static void ForwardReference(Device device, in ConcatenationShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        Span<float> a = HostMemory.Span(v[0]), b = HostMemory.Span(v[1]), y = HostMemory.Span(v[2]);
        for (int i = 0; i < s.Pixels * (s.C1 + s.C2); i++)
        {
            int pixel = i / (s.C1 + s.C2), c = i % (s.C1 + s.C2);
            y[i] = c < s.C1 ? a[pixel * s.C1 + c] : b[pixel * s.C2 + c - s.C1];
        }
    }

    private static void BackwardReference(Device device, in ConcatenationShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        Span<float> dy = HostMemory.Span(v[0]), da = HostMemory.Span(v[1]), db = HostMemory.Span(v[2]);
        for (int i = 0; i < s.Pixels * (s.C1 + s.C2); i++)
        {
            int pixel = i / (s.C1 + s.C2), c = i % (s.C1 + s.C2);
            if (c < s.C1)
                da[pixel * s.C1 + c] = dy[i];
            else
                db[pixel * s.C2 + c - s.C1] = dy[i];
        }
    }
}
