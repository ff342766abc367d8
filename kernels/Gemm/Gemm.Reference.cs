using ILGPU;

namespace IlgpuNetVlad.Kernels;

public static partial class Gemm
{
    private static void RunReference(Device device, in GemmShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        Span<float> a = HostMemory.Span(v[0]), b = HostMemory.Span(v[1]), c = HostMemory.Span(v[2]);
        for (int i = 0; i < s.M; i++)
            for (int j = 0; j < s.N; j++)
            {
                double sum = 0;
                for (int k = 0; k < s.K; k++)
                    sum += (double)a[s.TransposeA != 0 ? k * s.M + i : i * s.K + k] * b[s.TransposeB != 0 ? j * s.K + k : k * s.N + j];
                c[i * s.N + j] = (float)sum;
            }
    }
}
