using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace IlgpuNetVlad.Engine.Training;

/// <summary>Distances of descriptors in host memory.</summary>
internal static class Distance
{
    /// <summary>‖a − b‖², summed in 32 lanes whatever the machine's vectors are, so that every machine mines the same tuples.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Squared(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var x = MemoryMarshal.Cast<float, Vector512<float>>(a);
        var y = MemoryMarshal.Cast<float, Vector512<float>>(b);
        Vector512<float> even = default, odd = default;
        int i = 0;
        for (; i + 1 < x.Length; i += 2)
        {
            var d = x[i] - y[i];
            even += d * d;
            var e = x[i + 1] - y[i + 1];
            odd += e * e;
        }
        for (; i < x.Length; i++)
        {
            var d = x[i] - y[i];
            even += d * d;
        }
        float sum = Vector512.Sum(even + odd);
        for (int j = x.Length * 16; j < a.Length; j++)
            sum += (a[j] - b[j]) * (a[j] - b[j]);
        return sum;
    }
}
