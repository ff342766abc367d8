using System.Runtime.InteropServices;
using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// From 8-bit pixels to a network's numbers (<see cref="PixelNumbers"/>), where the first layer does not read bytes itself:
/// <code>
/// x[i,h,w,c] = (pixels[i,h,w,c] − mean[c]) · scale[c]      pixels [B, H, W, 3] bytes, x [B, H, W, 3]
/// </code>
/// Two FLOPs and 5 bytes a number: memory bound.
/// </summary>
public static partial class Pixels
{
    public static readonly Operation<PixelsShape> Operation = new()
    {
        Name = "pixels.numbers",
        Contract = "x = (pixels − mean)·scale   pixels [B,H,W,3] of 8 bits, x [B,H,W,3]",
        Check = s => s.Wrong(),
        Buffers = s => [new("pixels", (long)s.B * s.Floats, Access.Read, IsIndex: true), new("x", (long)s.B * s.Length, Access.Write)],
        Flops = s => 2.0 * s.B * s.Length,
        Tolerance = _ => 0, // two roundings, the same everywhere
        Variants =
        [
            new("host", VariantKind.Host, RunHost),
            new("simt", VariantKind.Simt, RunSimt, kernels: Simt.Numbers),
            new("reference", VariantKind.Reference, RunReference),
        ],
        Examples = [new(0, 4, 4, ExampleNumbers), new(1, 1, 1, ExampleNumbers), new(3, 5, 7, ExampleNumbers), new(2, 33, 20, ExampleNumbers)],
        Fill = (_, name, random, values) => FillExample(name, random, values),
    };

    /// <summary>ImageNet's, all different.</summary>
    internal static PixelNumbers ExampleNumbers => new(123.675f, 116.28f, 103.53f, 1 / 58.395f, 1 / 57.12f, 1 / 57.375f);

    /// <inheritdoc cref="Pixels"/>
    public static void Run(Device device, in PixelsShape shape, ArrayView<float> pixels, ArrayView<float> x) => Operation.Run(device, shape, [pixels, x], default);

    /// <summary>Any bytes where a buffer holds pixels.</summary>
    internal static bool FillExample(string buffer, Random random, float[] values)
    {
        if (buffer != "pixels")
            return false;
        random.NextBytes(MemoryMarshal.AsBytes(values.AsSpan()));
        return true;
    }

    private static void RunReference(Device device, in PixelsShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
        => Reference(s, HostMemory.Span(v[0]), HostMemory.Span(v[1]));

    /// <summary>The contract in a plain loop.</summary>
    internal static void Reference(in PixelsShape s, ReadOnlySpan<float> pixels, Span<float> x)
    {
        var bytes = MemoryMarshal.AsBytes(pixels);
        for (int i = 0; i < s.B; i++)
            for (int at = 0; at < s.Length; at++)
                x[i * s.Length + at] = s.Numbers.Of(at % PixelNumbers.Channels, bytes[i * s.Floats * sizeof(float) + at]);
    }
}
