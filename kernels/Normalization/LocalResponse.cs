using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>Shape and settings of a local response normalisation.</summary>
/// <param name="Pixels">B·H·W.</param>
/// <param name="Size">Channels of the window, odd: Size/2 on either side, cut at the ends.</param>
/// <param name="AlphaOverN">α / Size.</param>
public readonly record struct LocalResponseShape(int Pixels, int C, int Size, float AlphaOverN, float Beta, float K)
{
    public int Length => Pixels * C;

    /// <summary>What is wrong in one sentence, or null.</summary>
    public string? Wrong()
    {
        if (Pixels < 0 || C < 1 || Size < 1 || Size % 2 == 0)
            return "Pixels must not be negative, C must be 1 or more and Size odd";
        if (!(AlphaOverN >= 0) || !(K > 0) || !float.IsFinite(Beta))
            return "AlphaOverN must not be negative, K must be above 0 and Beta finite";
        return (long)Pixels * C > int.MaxValue ? "a buffer of more than 2³¹ − 1 numbers is not supported: use smaller batches" : null;
    }
}

/// <summary>
/// Local response normalisation across channels (AlexNet; Krizhevsky et al. 2012, section 3.3):
/// <code>
/// t[i,c] = k + α/n Σ_{j in window of c} x[i,j]²      y = x · t^−β                 x, y, dx, dy [Pixels,C]
/// dx[c] = dy[c] t[c]^−β − 2 α/n β x[c] Σ_{j: c in window of j} dy[j] x[j] t[j]^(−β−1)
/// </code>
/// (windows are symmetric, so the second sum runs over the window of c too). About 2·Size + 20 FLOPs a number forward, four times that backward.
/// </summary>
public static partial class LocalResponse
{
    /// <summary>y from x.</summary>
    public static readonly Operation<LocalResponseShape> ForwardOperation = new()
    {
        Name = "local-response.forward",
        Contract = "y = x / (k + α/n Σ x²)^β across channels   x, y [Pixels,C]",
        Check = s => s.Wrong(),
        Buffers = s => [new("x", s.Length, Access.Read), new("y", s.Length, Access.Write)],
        Flops = s => (2.0 * s.Size + 20) * s.Length,
        Tolerance = _ => 1e-6, // a power by base-2 logarithm and exponential: 2⁻²² each
        Variants =
        [
            new("host", VariantKind.Host, ForwardHost),
            new("simt", VariantKind.Simt, ForwardSimt, kernels: Simt.Forward),
            new("reference", VariantKind.Reference, ForwardReference),
        ],
        Examples = ExampleShapes,
    };

    /// <summary>dx from x and dy.</summary>
    public static readonly Operation<LocalResponseShape> BackwardOperation = new()
    {
        Name = "local-response.backward",
        Contract = "dx from x and dy   x, dy, dx [Pixels,C]",
        Check = s => s.Wrong(),
        Buffers = s => [new("x", s.Length, Access.Read), new("dy", s.Length, Access.Read), new("dx", s.Length, Access.Write)],
        Flops = s => (8.0 * s.Size + 50) * s.Length,
        Tolerance = _ => 4e-6, // as forward, and a difference
        Variants =
        [
            new("host", VariantKind.Host, BackwardHost),
            new("simt", VariantKind.Simt, BackwardSimt, kernels: Simt.Backward),
            new("reference", VariantKind.Reference, BackwardReference),
        ],
        Examples = ExampleShapes,
    };

    /// <inheritdoc cref="ForwardOperation"/>
    public static void Forward(Device device, in LocalResponseShape shape, ArrayView<float> x, ArrayView<float> y)
        => ForwardOperation.Run(device, shape, [x, y], default);

    /// <inheritdoc cref="BackwardOperation"/>
    public static void Backward(Device device, in LocalResponseShape shape, ArrayView<float> x, ArrayView<float> dy, ArrayView<float> dx)
        => BackwardOperation.Run(device, shape, [x, dy, dx], default);

    private static LocalResponseShape[] ExampleShapes =>
    [
        new(0, 4, 5, 2e-5f, 0.75f, 1), new(1, 1, 5, 2e-5f, 0.75f, 2), new(390, 8, 5, 2e-5f, 0.75f, 2), new(7, 3, 5, 0.3f, 0.75f, 1),
        new(33, 17, 3, 0.5f, 0.5f, 1), new(5, 96, 5, 0.1f, 0.75f, 1), new(4, 2, 1, 1, 1, 1),
    ];
}
