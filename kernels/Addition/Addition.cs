using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>Length of an addition.</summary>
public readonly record struct AdditionShape(int Length);

/// <summary>
/// Adds one map to another, where two ways back through a network meet:
/// <code>
/// a ← a + b          a, b [Length]
/// </code>
/// One FLOP and 12 bytes a number: memory bound.
/// </summary>
public static partial class Addition
{
    public static readonly Operation<AdditionShape> Operation = new()
    {
        Name = "addition",
        Contract = "a += b   a, b [Length]",
        Check = s => s.Length < 0 ? "Length must not be negative" : null,
        Buffers = s => [new("a", s.Length, Access.ReadWrite), new("b", s.Length, Access.Read)],
        Flops = s => s.Length,
        Tolerance = _ => 0, // one rounding, the same everywhere
        Variants =
        [
            new("host", VariantKind.Host, RunHost),
            new("simt", VariantKind.Simt, RunSimt, kernels: Simt.Add),
            new("reference", VariantKind.Reference, RunReference),
        ],
        Examples = [new(0), new(1), new(17), new(255), new(4099)],
    };

    /// <inheritdoc cref="Addition"/>
    public static void Accumulate(Device device, in AdditionShape shape, ArrayView<float> a, ArrayView<float> b) => Operation.Run(device, shape, [a, b], default);
}
