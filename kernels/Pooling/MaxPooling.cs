using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>Shapes of a max pooling without padding.</summary>
/// <param name="B">Images.</param>
/// <param name="C">Channels.</param>
/// <param name="Window">Rows and columns of a window.</param>
/// <param name="Ceil">0: windows that reach beyond the border are dropped (floor); 1: they are cut, if they start inside.</param>
/// <param name="XBf16">1: x, and dx, are rows of bf16 (<see cref="Bf16Rows"/>); 0: fp32.</param>
/// <param name="YBf16">The same of y and dy.</param>
public readonly record struct PoolingShape(int B, int H, int W, int C, int Window, int Stride, int Ceil = 0, int XBf16 = 0, int YBf16 = 0)
{
    /// <summary>Rows of the output map.</summary>
    public int P => Outputs(H);

    /// <summary>Columns of the output map.</summary>
    public int Q => Outputs(W);

    public int XLength => B * H * W * C;

    public int YLength => B * P * Q * C;

    private int Outputs(int size)
    {
        if (Ceil == 0)
            return (size - Window) / Stride + 1;
        int count = (size - Window + Stride - 1) / Stride + 1;
        return (count - 1) * Stride >= size ? count - 1 : count;
    }

    /// <summary>What is wrong in one sentence, or null.</summary>
    public string? Wrong()
    {
        if (B < 0 || H < 1 || W < 1 || C < 1 || Window < 1 || Stride < 1)
            return "B must not be negative and the other sizes must be 1 or more";
        if (H < Window || W < Window)
            return $"the map {H}×{W} is smaller than the window {Window}×{Window}";
        return (long)B * H * W * C > int.MaxValue || (XBf16 | YBf16) != 0 && Bf16Rows.Floats((long)B * H * W, C) > int.MaxValue ? "a buffer of more than 2³¹ − 1 numbers is not supported: use smaller batches" : null;
    }
}

/// <summary>
/// Max pooling, windows overlapping or not:
/// <code>
/// y[i,p,q,c] = max over the window of x[i, p·stride + r, q·stride + s, c]      x [B,H,W,C], y [B,P,Q,C]
/// dx gets dy at the first maximum of each window in row-major order (PyTorch's choice); NaN counts as the maximum
/// </code>
/// Window² comparisons an output; memory bound: x is read once, y written once. Backward finds the maxima again instead of storing
/// them, and gathers: one owner for each dx, so overlapping windows need no atomics.
/// </summary>
public static partial class MaxPooling
{
    /// <summary>y from x.</summary>
    public static readonly Operation<PoolingShape> ForwardOperation = new()
    {
        Name = "max-pooling.forward",
        Contract = "y = max over windows   x [B,H,W,C], y [B,P,Q,C]",
        Check = s => s.Wrong(),
        Buffers = s => [X("x", s, Access.Read), Y("y", s, Access.Write)],
        HasBf16Maps = HasBf16,
        Flops = s => (double)s.YLength * s.Window * s.Window,
        Tolerance = _ => 0, // a maximum rounds nothing, and fp32 to bf16 as Reference does
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
    public static readonly Operation<PoolingShape> BackwardOperation = new()
    {
        Name = "max-pooling.backward",
        Contract = "dx = dy at each window's first maximum   x, dx [B,H,W,C], dy [B,P,Q,C]",
        Check = s => s.Wrong(),
        Buffers = s => [X("x", s, Access.Read), Y("dy", s, Access.Read), X("dx", s, Access.Write)],
        HasBf16Maps = HasBf16,
        Flops = s => (double)s.YLength * (s.Window * s.Window + 1),
        Tolerance = s => 3e-7 + s.XBf16 * Bf16Rows.Rounding, // up to four windows overlap at a pixel: three additions
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
    public static void Forward(Device device, in PoolingShape shape, ArrayView<float> x, ArrayView<float> y)
        => ForwardOperation.Run(device, shape, [x, y], default);

    /// <inheritdoc cref="BackwardOperation"/>
    public static void Backward(Device device, in PoolingShape shape, ArrayView<float> x, ArrayView<float> dy, ArrayView<float> dx)
        => BackwardOperation.Run(device, shape, [x, dy, dx], default);

    private static bool HasBf16(PoolingShape s) => (s.XBf16 | s.YBf16) != 0;

    private static string? RefusesFp32(PoolingShape s) => HasBf16(s) ? null : "takes maps of bf16";

    private static BufferSpec X(string name, in PoolingShape s, Access access) => BufferSpec.Map(name, (long)s.B * s.H * s.W, s.C, s.XBf16, access);

    private static BufferSpec Y(string name, in PoolingShape s, Access access) => BufferSpec.Map(name, (long)s.B * s.P * s.Q, s.C, s.YBf16, access);

    private static PoolingShape[] ExampleShapes =>
    [
        new(0, 4, 4, 3, 2, 2), new(1, 2, 2, 1, 2, 2), new(1, 1, 1, 5, 1, 1), new(2, 13, 15, 8, 2, 2), new(1, 7, 9, 28, 2, 2), new(2, 13, 15, 8, 3, 2), new(2, 14, 16, 6, 3, 2, 1),
        new(1, 5, 5, 17, 3, 2), new(1, 6, 7, 33, 2, 2, 1), new(3, 4, 4, 1, 3, 1), new(1, 7, 9, 16, 2, 3, 1), new(1, 3, 8, 70, 3, 4, 1),
        new(2, 9, 11, 17, 3, 2, 1, 1, 1), new(1, 8, 7, 16, 2, 2, 0, 1, 1), new(1, 5, 6, 5, 2, 1, 0, 0, 1), new(1, 5, 6, 9, 3, 2, 1, 1, 0), new(0, 4, 4, 3, 2, 2, 0, 1, 1),
    ];
}
