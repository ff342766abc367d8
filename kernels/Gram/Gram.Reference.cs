using ILGPU;

namespace IlgpuNetVlad.Kernels;

public static partial class Gram
{
    private static void RunReference(Device device, in GramShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        Span<float> x = HostMemory.Span(v[0]), c = HostMemory.Span(v[1]);
        for (int i = 0; i < s.N; i++)
            for (int j = 0; j <= i; j++)
            {
                double sum = 0;
                for (int k = 0; k < s.K; k++)
                    sum += (double)x[s.Transpose != 0 ? k * s.N + i : i * s.K + k] * x[s.Transpose != 0 ? k * s.N + j : j * s.K + k];
                c[i * s.N + j] = c[j * s.N + i] = (float)sum;
            }
    }
}
