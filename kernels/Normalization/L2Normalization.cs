using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>Rows to normalise.</summary>
/// <param name="D">Numbers of a row.</param>
/// <param name="SoftFloor">0: divide by max(‖x‖, 1e-12) (PyTorch); 1: by √(‖x‖² + 1e-12) (MatConvNet).</param>
public readonly record struct RowsShape(int Rows, int D, int SoftFloor = 0)
{
    public int Length => Rows * D;

    /// <summary>What is wrong in one sentence, or null.</summary>
    public string? Wrong()
        => Rows < 0 || D < 1 ? "Rows must not be negative and D must be 1 or more"
            : (long)Rows * D > int.MaxValue ? "a buffer of more than 2³¹ − 1 numbers is not supported: use smaller batches" : null;
}

/// <summary>
/// Each row to unit length:
/// <code>
/// y = x / r,  r = max(‖x‖, 1e-12) or √(‖x‖² + 1e-12)      x, y [Rows, D]
/// dx = (dy − y (y·dy)) / r, and 0 where the clamp acted (PyTorch gives dy/1e-12 there)
/// </code>
/// 3·D FLOPs a row forward, 7·D backward; memory bound.
/// </summary>
public static partial class L2Normalization
{
    /// <summary>The floor under a norm.</summary>
    public const float Floor = 1e-12f;

    /// <summary>y from x.</summary>
    public static readonly Operation<RowsShape> ForwardOperation = new()
    {
        Name = "l2-normalization.forward",
        Contract = "y = x / ‖x‖ by row   x, y [Rows,D]",
        Check = s => s.Wrong(),
        Buffers = s => [new("x", s.Length, Access.Read), new("y", s.Length, Access.Write)],
        Flops = s => 3.0 * s.Length,
        Tolerance = _ => 1e-6, // partial sums of squares, all positive: their relative error stays near u·log D
        Variants =
        [
            new("host", VariantKind.Host, ForwardHost),
            new("simt", VariantKind.Simt, ForwardSimt, kernels: Simt.Forward),
            new("reference", VariantKind.Reference, ForwardReference),
        ],
        Examples = ExampleShapes,
        Fill = FillRows,
    };

    /// <summary>dx from x, y and dy.</summary>
    public static readonly Operation<RowsShape> BackwardOperation = new()
    {
        Name = "l2-normalization.backward",
        Contract = "dx = (dy − y (y·dy)) / ‖x‖ by row   x, y, dy, dx [Rows,D]",
        Check = s => s.Wrong(),
        Buffers = s => [new("x", s.Length, Access.Read), new("y", s.Length, Access.Read), new("dy", s.Length, Access.Read), new("dx", s.Length, Access.Write)],
        Flops = s => 7.0 * s.Length,
        Tolerance = _ => 2e-6, // as forward, twice, and a difference
        Variants =
        [
            new("host", VariantKind.Host, BackwardHost),
            new("simt", VariantKind.Simt, BackwardSimt, kernels: Simt.Backward),
            new("reference", VariantKind.Reference, BackwardReference),
        ],
        Examples = ExampleShapes,
        Fill = FillRows,
    };

    /// <inheritdoc cref="ForwardOperation"/>
    public static void Forward(Device device, in RowsShape shape, ArrayView<float> x, ArrayView<float> y)
        => ForwardOperation.Run(device, shape, [x, y], default);

    /// <inheritdoc cref="BackwardOperation"/>
    public static void Backward(Device device, in RowsShape shape, ArrayView<float> x, ArrayView<float> y, ArrayView<float> dy, ArrayView<float> dx)
        => BackwardOperation.Run(device, shape, [x, y, dy, dx], default);

    private static RowsShape[] ExampleShapes =>
        [new(0, 4), new(1, 1), new(3, 7), new(5, 16, 1), new(2, 33), new(2, 34, 1), new(1, 1000), new(4, 257, 1), new(70, 5)];

    /// <summary>y of the backward pass must be x's own; the first row of several is zero, to meet the floor, and the second of two so short that a soft floor is
    /// felt.</summary>
    private static bool FillRows(RowsShape s, string name, Random random, float[] values)
    {
        if (name is not ("x" or "y"))
            return false;
        var same = new Random(s.Rows * 1000 + s.D);
        for (int i = 0; i < values.Length; i++)
            values[i] = s.Rows > 1 && i < s.D ? 0 : (same.NextSingle() * 2 - 1) * (s.Rows == 2 ? 1e-6f : 1);
        if (name == "y")
            Forward<float>(s, values.ToArray(), values);
        return true;
    }
}
