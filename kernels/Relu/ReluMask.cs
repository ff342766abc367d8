using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>Shape of a map whose gradient goes through ReLU's mask.</summary>
/// <param name="Pixels">Of all images.</param>
public readonly record struct ReluMaskShape(int Pixels, int Channels);

/// <summary>
/// ReLU's way back by itself, in place, for maps in rows of bf16 (<see cref="Bf16Rows"/>):
/// <code>
/// dy = dy where not y ≤ 0, else 0      y, dy [Pixels, Channels]
/// </code>
/// A convolution's two products of the way back take the gradient as it then stands, where each would mask a copy of its own. 6 bytes a number.
/// </summary>
public static class ReluMask
{
    public static readonly Operation<ReluMaskShape> Operation = new()
    {
        Name = "relu.mask",
        Contract = "dy = dy where not y ≤ 0, else 0   y, dy [Pixels, Channels] in bf16",
        Check = s => s.Pixels < 0 || s.Channels < 1 ? "Pixels must not be negative and Channels must be 1 or more"
            : Bf16Rows.Floats(s.Pixels, s.Channels) > int.MaxValue ? "a buffer of more than 2³¹ − 1 words is not supported: use smaller batches" : null,
        Buffers = s => [BufferSpec.Map("y", s.Pixels, s.Channels, 1, Access.Read), BufferSpec.Map("dy", s.Pixels, s.Channels, 1, Access.ReadWrite)],
        HasBf16Maps = _ => true,
        Flops = s => (double)s.Pixels * s.Channels,
        Tolerance = _ => 0, // nothing is computed
        Variants = [new("bf16", VariantKind.Simt, RunBf16, kernels: Bf16Mask.Kernel) { TakesBf16Maps = true }, new("reference", VariantKind.Reference, RunReference)],
        Examples = [new(0, 5), new(1, 1), new(37, 20), new(130, 16), new(9, 67)],
        Fill = FillExample,
    };

    /// <inheritdoc cref="ReluMask"/>
    public static void Run(Device device, in ReluMaskShape shape, ArrayView<float> y, ArrayView<float> dy) => Operation.Run(device, shape, [y, dy], default);

    private static void RunBf16(Device device, in ReluMaskShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        if (s.Pixels == 0)
            return;
        var rows = PackingShape.Of<Bf16Numbers>(s.Pixels, s.Channels, ready: 1);
        ArrayView<float> none = default;
        var gradient = TensorOperand<Bf16Numbers>.Take(device, rows, v[1], v[1], ref none);
        Bf16Mask.Run(device, gradient, TensorOperand<Bf16Numbers>.Take(device, rows, v[0], v[0], ref none), gradient, rows.Chunks);
    }

    private static void RunReference(Device device, in ReluMaskShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        var y = HostMemory.Span(v[0]);
        var dy = HostMemory.Span(v[1]);
        for (int i = 0; i < s.Pixels * s.Channels; i++)
            dy[i] = y[i] <= 0 ? 0 : dy[i];
    }

    /// <summary>y as ReLU leaves it, half of it 0.</summary>
    private static bool FillExample(ReluMaskShape s, string buffer, Random random, float[] values)
    {
        for (int i = 0; i < values.Length; i++)
            values[i] = buffer == "y" ? Math.Max(0, random.NextSingle() * 2 - 1) : random.NextSingle() * 2 - 1;
        return true;
    }
}
