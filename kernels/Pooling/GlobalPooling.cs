using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>Shapes of a pooling over whole maps.</summary>
/// <param name="B">Images.</param>
/// <param name="N">Pixels of a map.</param>
/// <param name="C">Channels.</param>
public readonly record struct GlobalPoolingShape(int B, int N, int C)
{
    public int XLength => B * N * C;

    public int YLength => B * C;

    /// <summary>What is wrong in one sentence, or null.</summary>
    public string? Wrong()
        => B < 0 || N < 1 || C < 1 ? "B must not be negative and N, C must be 1 or more"
            : (long)B * N * C > int.MaxValue ? "a buffer of more than 2³¹ − 1 numbers is not supported: use smaller batches" : null;
}

/// <summary>
/// The maximum or mean of each channel over the map, f_max and the average of the NetVLAD paper's baselines (their L2 normalisation is an operation of its own):
/// <code>
/// y[i,c] = max_n x[i,n,c]  or  Σ_n x[i,n,c] / N        x [B,N,C], y [B,C]
/// dx gets dy at the first maximum, NaN counting as the maximum; or dy / N everywhere
/// </code>
/// One FLOP a number read; memory bound.
/// </summary>
public static partial class GlobalPooling
{
    /// <summary>y, the maximum.</summary>
    public static readonly Operation<GlobalPoolingShape> MaxForwardOperation = Forwards("global-max.forward", "y = max over pixels   x [B,N,C], y [B,C]", true, 0);

    /// <summary>y, the mean.</summary>
    public static readonly Operation<GlobalPoolingShape> AverageForwardOperation = Forwards("global-average.forward", "y = mean over pixels   x [B,N,C], y [B,C]", false, 2e-5);

    /// <summary>dx from x and dy.</summary>
    public static readonly Operation<GlobalPoolingShape> MaxBackwardOperation = new()
    {
        Name = "global-max.backward",
        Contract = "dx = dy at the first maximum   x, dx [B,N,C], dy [B,C]",
        Check = s => s.Wrong(),
        Buffers = s => [new("x", s.XLength, Access.Read), new("dy", s.YLength, Access.Read), new("dx", s.XLength, Access.Write)],
        Flops = s => s.XLength,
        Tolerance = _ => 0,
        Variants =
        [
            new("host", VariantKind.Host, (Device d, in GlobalPoolingShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> _) => MaxBackwardHost(d, s, v)),
            new("simt", VariantKind.Simt, (Device d, in GlobalPoolingShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> _) => Simt.RunMaxBackward(d, s, v), kernels: Simt.MaxBackward),
            new("reference", VariantKind.Reference, (Device _, in GlobalPoolingShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> _)
                => Backward<float>(s, true, HostMemory.Span(v[0]), HostMemory.Span(v[1]), HostMemory.Span(v[2]))),
        ],
        Examples = ExampleShapes,
    };

    /// <summary>dx from dy.</summary>
    public static readonly Operation<GlobalPoolingShape> AverageBackwardOperation = new()
    {
        Name = "global-average.backward",
        Contract = "dx = dy / N   dy [B,C], dx [B,N,C]",
        Check = s => s.Wrong(),
        Buffers = s => [new("dy", s.YLength, Access.Read), new("dx", s.XLength, Access.Write)],
        Flops = s => s.XLength,
        Tolerance = _ => 2e-7, // one rounding, of a reciprocal and of a product
        Variants =
        [
            new("host", VariantKind.Host, (Device d, in GlobalPoolingShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> _) => AverageBackwardHost(d, s, v)),
            new("simt", VariantKind.Simt, (Device d, in GlobalPoolingShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> _) => Simt.RunAverageBackward(d, s, v), kernels: Simt.AverageBackward),
            new("reference", VariantKind.Reference, (Device _, in GlobalPoolingShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> _)
                => Backward<float>(s, false, default, HostMemory.Span(v[0]), HostMemory.Span(v[1]))),
        ],
        Examples = ExampleShapes,
    };

    /// <inheritdoc cref="MaxForwardOperation"/>
    public static void MaxForward(Device device, in GlobalPoolingShape shape, ArrayView<float> x, ArrayView<float> y) => MaxForwardOperation.Run(device, shape, [x, y], default);

    /// <inheritdoc cref="AverageForwardOperation"/>
    public static void AverageForward(Device device, in GlobalPoolingShape shape, ArrayView<float> x, ArrayView<float> y) => AverageForwardOperation.Run(device, shape, [x, y], default);

    /// <inheritdoc cref="MaxBackwardOperation"/>
    public static void MaxBackward(Device device, in GlobalPoolingShape shape, ArrayView<float> x, ArrayView<float> dy, ArrayView<float> dx)
        => MaxBackwardOperation.Run(device, shape, [x, dy, dx], default);

    /// <inheritdoc cref="AverageBackwardOperation"/>
    public static void AverageBackward(Device device, in GlobalPoolingShape shape, ArrayView<float> dy, ArrayView<float> dx)
        => AverageBackwardOperation.Run(device, shape, [dy, dx], default);

    // The mean of n mixed numbers: √n·u of their size, against a mean that is √n smaller.
    private static Operation<GlobalPoolingShape> Forwards(string name, string contract, bool max, double tolerance) => new()
    {
        Name = name,
        Contract = contract,
        Check = s => s.Wrong(),
        Buffers = s => [new("x", s.XLength, Access.Read), new("y", s.YLength, Access.Write)],
        Flops = s => s.XLength,
        Tolerance = _ => tolerance,
        Variants =
        [
            new("host", VariantKind.Host, (Device d, in GlobalPoolingShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> _) => ForwardHost(d, s, max, v)),
            new("simt", VariantKind.Simt, (Device d, in GlobalPoolingShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> _) => Simt.RunForward(d, s, max, v),
                kernels: max ? Simt.MaxForward : Simt.AverageForward),
            new("reference", VariantKind.Reference, (Device _, in GlobalPoolingShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> _)
                => Forward<float>(s, max, HostMemory.Span(v[0]), HostMemory.Span(v[1]))),
        ],
        Examples = ExampleShapes,
    };

    private static GlobalPoolingShape[] ExampleShapes => [new(0, 3, 4), new(1, 1, 1), new(3, 42, 11), new(2, 7, 16), new(1, 130, 33), new(2, 5, 70)];
}
