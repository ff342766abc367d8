using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>Shapes of a concatenation of two maps along the channels.</summary>
/// <param name="Pixels">B·H·W.</param>
public readonly record struct ConcatenationShape(int Pixels, int C1, int C2)
{
    /// <summary>What is wrong in one sentence, or null.</summary>
    public string? Wrong()
        => Pixels < 0 || C1 < 1 || C2 < 1 ? "Pixels must not be negative and C1, C2 must be 1 or more"
            : (long)Pixels * (C1 + C2) > int.MaxValue ? "a buffer of more than 2³¹ − 1 numbers is not supported: use smaller batches" : null;
}

/// <summary>
/// Channels of two maps side by side, as fire modules end, and their gradient taken apart:
/// <code>
/// y[i] = (a[i], b[i])      a [Pixels,C1], b [Pixels,C2], y [Pixels,C1+C2]
/// </code>
/// No FLOPs: every number is read and written once.
/// </summary>
public static partial class Concatenation
{
    /// <summary>y from a and b.</summary>
    public static readonly Operation<ConcatenationShape> ForwardOperation = new()
    {
        Name = "concatenation.forward",
        Contract = "y = (a, b) by channels   a [Pixels,C1], b [Pixels,C2], y [Pixels,C1+C2]",
        Check = s => s.Wrong(),
        Buffers = s => [new("a", s.Pixels * s.C1, Access.Read), new("b", s.Pixels * s.C2, Access.Read), new("y", s.Pixels * (s.C1 + s.C2), Access.Write)],
        Flops = _ => 0,
        Tolerance = _ => 0,
        Variants =
        [
            new("host", VariantKind.Host, ForwardHost),
            new("simt", VariantKind.Simt, (Device d, in ConcatenationShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> _) => Simt.Run(d, Simt.Join, s, v[0], v[1], v[2]), kernels: Simt.Join),
            new("reference", VariantKind.Reference, ForwardReference),
        ],
        Examples = ExampleShapes,
    };

    /// <summary>da and db from dy.</summary>
    public static readonly Operation<ConcatenationShape> BackwardOperation = new()
    {
        Name = "concatenation.backward",
        Contract = "(da, db) = dy by channels   dy [Pixels,C1+C2], da [Pixels,C1], db [Pixels,C2]",
        Check = s => s.Wrong(),
        Buffers = s => [new("dy", s.Pixels * (s.C1 + s.C2), Access.Read), new("da", s.Pixels * s.C1, Access.Write), new("db", s.Pixels * s.C2, Access.Write)],
        Flops = _ => 0,
        Tolerance = _ => 0,
        Variants =
        [
            new("host", VariantKind.Host, BackwardHost),
            new("simt", VariantKind.Simt, (Device d, in ConcatenationShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> _) => Simt.Run(d, Simt.Part, s, v[1], v[2], v[0]), kernels: Simt.Part),
            new("reference", VariantKind.Reference, BackwardReference),
        ],
        Examples = ExampleShapes,
    };

    /// <inheritdoc cref="ForwardOperation"/>
    public static void Forward(Device device, in ConcatenationShape shape, ArrayView<float> a, ArrayView<float> b, ArrayView<float> y)
        => ForwardOperation.Run(device, shape, [a, b, y], default);

    /// <inheritdoc cref="BackwardOperation"/>
    public static void Backward(Device device, in ConcatenationShape shape, ArrayView<float> dy, ArrayView<float> da, ArrayView<float> db)
        => BackwardOperation.Run(device, shape, [dy, da, db], default);

    private static ConcatenationShape[] ExampleShapes => [new(0, 2, 3), new(1, 1, 1), new(7, 3, 5), new(35, 64, 64), new(130, 2, 17)];
}
