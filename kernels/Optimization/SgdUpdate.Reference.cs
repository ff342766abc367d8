using System.Numerics;
using ILGPU;

namespace IlgpuNetVlad.Kernels;

public static partial class SgdUpdate
{
    private static void RunReference(Device device, in SgdShape s, ReadOnlySpan<ArrayView<float>> buffers, ArrayView<float> workspace)
        => Reference<float>(s, HostMemory.Span(buffers[0]), HostMemory.Span(buffers[1]), HostMemory.Span(buffers[2]), HostMemory.Span(buffers[3])[0]);

    /// <summary>The contract in plain loops; T is float in the table and double where gradients are checked by finite differences.</summary>
    internal static void Reference<T>(in SgdShape s, Span<T> p, ReadOnlySpan<T> g, Span<T> v, float scale)
        where T : unmanaged, INumber<T>
    {
        if (!(scale > 0))
            return;
        for (int i = 0; i < s.Length; i++)
        {
            double next = s.Momentum * double.CreateChecked(v[i]) + scale * double.CreateChecked(g[i]) + s.WeightDecay * double.CreateChecked(p[i]);
            v[i] = T.CreateChecked(next);
            p[i] = T.CreateChecked(double.CreateChecked(p[i]) - s.LearningRate * next);
        }
    }
}
