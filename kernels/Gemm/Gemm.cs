using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>Shapes of a matrix product.</summary>
/// <param name="M">Rows of C.</param>
/// <param name="N">Columns of C.</param>
/// <param name="K">Length of the sums.</param>
/// <param name="TransposeA">0: a is [M,K]; 1: a is [K,M].</param>
/// <param name="TransposeB">0: b is [K,N]; 1: b is [N,K].</param>
/// <param name="Exact">1: the inputs are not rounded, whatever the device's precision; for what later divides by small differences, such as covariances.</param>
public readonly record struct GemmShape(int M, int N, int K, int TransposeA = 0, int TransposeB = 0, int Exact = 0)
{
    /// <summary>What is wrong in one sentence, or null.</summary>
    public string? Wrong()
    {
        if (M < 0 || N < 1 || K < 1)
            return "M must not be negative and N, K must be 1 or more";
        return (long)M * N > int.MaxValue || (long)M * K > int.MaxValue || (long)N * K > int.MaxValue
            ? "a matrix of more than 2³¹ − 1 numbers is not supported: take it in blocks of rows"
            : null;
    }
}

/// <summary>
/// The matrix product, row-major:
/// <code>
/// c = op(a)·op(b)      op(a) [M,K], op(b) [K,N], c [M,N]
/// </code>
/// 2·M·N·K FLOPs; every matrix moves once if it fits the cache.
/// </summary>
public static partial class Gemm
{
    public static readonly Operation<GemmShape> Operation = new()
    {
        Name = "gemm",
        Contract = "c = op(a)·op(b)   op(a) [M,K], op(b) [K,N], c [M,N]",
        Check = s => s.Wrong(),
        Buffers = s => [new("a", s.M * s.K, Access.Read), new("b", s.K * s.N, Access.Read), new("c", s.M * s.N, Access.Write)],
        Flops = s => 2.0 * s.M * s.N * s.K,
        // Sums of K products of mixed sign: √K·u, eight of those.
        Tolerance = s => 8 * 6e-8 * Math.Sqrt(Math.Max(s.K, 4)),
        Variants =
        [
            new("host-12x2v", VariantKind.Host, RunPacked, PackedWorkspace) { Leaves = LeavesToTiles },
            new("host-6x4v", VariantKind.Host, RunHost, HostWorkspace),
            TensorCore<NarrowTile, Bf16Numbers>.Multiply,
            TensorCore<WideTile, Bf16Numbers>.Multiply,
            TensorCore<NarrowTile, Tf32Numbers>.Multiply,
            TensorCore<WideTile, Tf32Numbers>.Multiply,
            new(SimtLargeTile<WideSimtTile>.Name, VariantKind.Simt, RunLargeSimt, refuses: s => SimtLargeTile<WideSimtTile>.Refuses(s.N), kernels: SimtGemm.Kernel) { Leaves = (_, s) => SimtLargeTile<WideSimtTile>.Leaves(s.M, s.N) },
            new("simt-32x32x16", VariantKind.Simt, RunSimt, kernels: Simt.Multiply),
            new("reference", VariantKind.Reference, RunReference),
        ],
        Examples =
        [
            new(0, 3, 4), new(1, 1, 1), new(6, 64, 16), new(7, 65, 17), new(33, 31, 40, 1), new(5, 130, 9, 0, 1), new(97, 15, 33, 1, 1), new(100, 50, 1100),
            new(250, 140, 270, 1),                                // several tiles each way, turned
            new(16, 300, 530, 0, 1),
            new(97, 290, 300), new(260, 131, 261, 1, 1),          // both operands packed, two pieces of k
            new(12, 7, 2300, 0, 1), new(3, 66, 2052, 1),          // tensor cores: two slices of k and more, of which the last is short
            new(5, 8, 12, 0, 0, 1),                               // nothing may be rounded
            new(129, 132, 20), new(132, 68, 12, 1, 1),            // large tiles in fp32: a row and four columns beyond one, 16 bytes a load, k that does not fill the last step
            new(0, 64, 4),
        ],
    };

    /// <inheritdoc cref="Gemm"/>
    public static void Multiply(Device device, in GemmShape shape, ArrayView<float> a, ArrayView<float> b, ArrayView<float> c, ArrayView<float> workspace)
        => Operation.Run(device, shape, [a, b, c], workspace);
}
