using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

public static partial class Gram
{
    /// <summary>The product's kernel. Its sums run over k in order, so the two triangles agree bit for bit.</summary>
    private static void RunSimt(Device device, in GramShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        => Gemm.Simt.Multiply.On(device)(
            new KernelConfig(new Index3D((s.N + SimtTile.Rows - 1) / SimtTile.Rows, (s.N + SimtTile.Columns - 1) / SimtTile.Columns, 1), new Index3D(SimtTile.Threads, 1, 1)),
            v[0], v[0], v[1], s.Product);

    /// <inheritdoc cref="RunSimt"/>
    private static void RunLargeSimt(Device device, in GramShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace) => SimtGemm.Multiply(device, s.Product, v[0], v[0], v[1]);
}
