using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>Shape and settings of a local response normalisation.</summary>
/// <param name="Pixels">B·H·W.</param>
/// <param name="Size">Channels of the window, odd: Size/2 on either side, cut at the ends.</param>
/// <param name="AlphaOverN">α / Size.</param>
/// <param name="XBf16">1: x, and dx, are rows of bf16 (<see cref="Bf16Rows"/>); 0: fp32.</param>
/// <param name="YBf16">The same of y and dy.</param>
public readonly record struct LocalResponseShape(int Pixels, int C, int Size, float AlphaOverN, float Beta, float K, int XBf16 = 0, int YBf16 = 0)
{
    public int Length => Pixels * C;

    /// <summary>What is wrong in one sentence, or null.</summary>
    public string? Wrong()
    {
        if (Pixels < 0 || C < 1 || Size < 1 || Size % 2 == 0)
            return "Pixels must not be negative, C must be 1 or more and Size odd";
        if (!(AlphaOverN >= 0) || !(K > 0) || !float.IsFinite(Beta))
            return "AlphaOverN must not be negative, K must be above 0 and Beta finite";
        return (long)Pixels * C > int.MaxValue || (XBf16 | YBf16) != 0 && Bf16Rows.Floats(Pixels, C) > int.MaxValue ? "a buffer of more than 2³¹ − 1 numbers is not supported: use smaller batches" : null;
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
        Buffers = s => [X("x", s, Access.Read), Y("y", s, Access.Write)],
        HasBf16Maps = HasBf16,
        Flops = s => (2.0 * s.Size + 20) * s.Length,
        Tolerance = s => 1e-6 + s.YBf16 * Bf16Rows.Rounding, // a power by base-2 logarithm and exponential: 2⁻²² each
        Variants =
        [
            new("host", VariantKind.Host, ForwardHost),
            new("bf16", VariantKind.TensorCore, ForwardBf16, refuses: RefusesFp32, kernels: Pairs.Forward) { TakesBf16Maps = true },
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
        Buffers = s => [X("x", s, Access.Read), Y("dy", s, Access.Read), X("dx", s, Access.Write)],
        HasBf16Maps = HasBf16,
        Flops = s => (8.0 * s.Size + 50) * s.Length,
        Tolerance = s => 4e-6 + s.XBf16 * Bf16Rows.Rounding, // as forward, and a difference
        Variants =
        [
            new("host", VariantKind.Host, BackwardHost),
            new("bf16", VariantKind.TensorCore, BackwardBf16, refuses: RefusesFp32, kernels: Pairs.Backward) { TakesBf16Maps = true },
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

    /// <summary>Whether a shape runs on a device with its maps as they are kept in memory, both ways.</summary>
    public static bool TakesMaps(Device device, in LocalResponseShape shape) => ForwardOperation.Takes(device, shape) && BackwardOperation.Takes(device, shape);

    private static bool HasBf16(LocalResponseShape s) => (s.XBf16 | s.YBf16) != 0;

    private static string? RefusesFp32(LocalResponseShape s) => HasBf16(s) ? null : "takes maps of bf16";

    private static BufferSpec X(string name, in LocalResponseShape s, Access access) => BufferSpec.Map(name, s.Pixels, s.C, s.XBf16, access);

    private static BufferSpec Y(string name, in LocalResponseShape s, Access access) => BufferSpec.Map(name, s.Pixels, s.C, s.YBf16, access);

    private static LocalResponseShape[] ExampleShapes =>
    [
        new(0, 4, 5, 2e-5f, 0.75f, 1), new(1, 1, 5, 2e-5f, 0.75f, 2), new(390, 8, 5, 2e-5f, 0.75f, 2), new(7, 3, 5, 0.3f, 0.75f, 1),
        new(33, 17, 3, 0.5f, 0.5f, 1), new(5, 96, 5, 0.1f, 0.75f, 1), new(4, 2, 1, 1, 1, 1),
        new(9, 19, 5, 0.3f, 0.75f, 1, 1, 1), new(5, 16, 3, 0.5f, 0.5f, 2, 0, 1), new(5, 9, 7, 0.5f, 0.75f, 1, 1), new(0, 4, 5, 2e-5f, 0.75f, 1, 1, 1),
    ];
}
