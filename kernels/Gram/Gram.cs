using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>Shapes of a Gram matrix.</summary>
/// <param name="N">Rows and columns of c.</param>
/// <param name="K">Length of the sums.</param>
/// <param name="Transpose">0: x is [N,K]; 1: x is [K,N].</param>
public readonly record struct GramShape(int N, int K, int Transpose = 0)
{
    internal GemmShape Product => new(N, N, K, Transpose, 1 - Transpose, Exact: 1);
}

/// <summary>
/// A matrix by its own transpose, in fp32 whatever the device's precision; c is exactly symmetric:
/// <code>
/// c = x·xᵀ     x [N,K]       c [N,N]
/// c = xᵀ·x     x [K,N]
/// </code>
/// N²·K FLOPs, half of the product's, where the symmetry is used. On the processor sums are those of pieces of 256, added in order: the error of a number grows with √256 + √(K/256), not with
/// √K, which eigenvalues far below the first need.
/// </summary>
public static partial class Gram
{
    public static readonly Operation<GramShape> Operation = new()
    {
        Name = "gram",
        Contract = "c = x·xᵀ, or xᵀ·x   x [N,K] or [K,N], c [N,N]",
        Check = s => s.N < 1 || s.K < 1 ? "N and K must be 1 or more" : s.Product.Wrong(),
        Buffers = s => [new("x", (long)s.N * s.K, Access.Read), new("c", (long)s.N * s.N, Access.Write)],
        Flops = s => (double)s.N * s.N * s.K,
        // As of the product; on the diagonal the terms are of one sign, which the sums' roundings do not see.
        Tolerance = s => 8 * 6e-8 * Math.Sqrt(Math.Max(s.K, 4)),
        Variants =
        [
            new("host-12x2v", VariantKind.Host, RunHost, HostWorkspace),
            new(SimtLargeTile<WideSimtTile>.Name, VariantKind.Simt, RunLargeSimt, refuses: s => SimtLargeTile<WideSimtTile>.Refuses(s.N), kernels: SimtGemm.Kernel) { Leaves = (_, s) => SimtLargeTile<WideSimtTile>.Leaves(s.N, s.N) },
            new("simt-32x32x16", VariantKind.Simt, RunSimt, kernels: Gemm.Simt.Multiply),
            new("reference", VariantKind.Reference, RunReference),
        ],
        Examples = [new(1, 1), new(7, 5, 1), new(33, 40), new(65, 300, 1), new(130, 523), new(290, 17, 1)],
    };

    /// <inheritdoc cref="Gram"/>
    /// <param name="workspace"><c>Operation.Workspace</c> floats.</param>
    public static void Multiply(Device device, in GramShape shape, ArrayView<float> x, ArrayView<float> c, ArrayView<float> workspace)
        => Operation.Run(device, shape, [x, c], workspace);
}
