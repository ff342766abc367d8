using System.Runtime.CompilerServices;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Data;

/// <summary>From 8-bit pixels to what a network was trained on: x = (pixel − mean) · scale, channel by channel.</summary>
/// <param name="Mean">[3], red, green, blue, in 0…255.</param>
/// <param name="Scale">[3].</param>
public sealed record Preprocessing(float[] Mean, float[] Scale)
{
    /// <summary>torchvision's: mean and standard deviation of ImageNet.</summary>
    public static Preprocessing ImageNet { get; } = new(
        [0.485f * 255, 0.456f * 255, 0.406f * 255], [1 / (0.229f * 255), 1 / (0.224f * 255), 1 / (0.225f * 255)]);

    /// <summary>That of VGG-16 and of the published NetVLAD networks: the mean is taken off, nothing is scaled.</summary>
    public static Preprocessing Vgg { get; } = new([123.68f, 116.779f, 103.939f], [1, 1, 1]);

    /// <summary>For networks trained from scratch: about −2…2.</summary>
    public static Preprocessing City { get; } = new([127.5f, 127.5f, 127.5f], [1 / 64f, 1 / 64f, 1 / 64f]);

    /// <summary>The same for kernels.</summary>
    public PixelNumbers Numbers => new(Mean[0], Mean[1], Mean[2], Scale[0], Scale[1], Scale[2]);

    /// <summary>Writes one image as numbers.</summary>
    /// <param name="destination">[H, W, 3], at least H·W·3 numbers; the rest is left alone.</param>
    /// <param name="flip">Left and right change places.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Apply(PixelImage image, Span<float> destination, bool flip = false)
    {
        // 256 products a channel instead of one a pixel, and the rounding is the same everywhere.
        Span<float> table = stackalloc float[3 * 256];
        var numbers = Numbers;
        for (var channel = 0; channel < 3; channel++)
        {
            for (var value = 0; value < 256; value++)
                table[channel * 256 + value] = numbers.Of(channel, value);
        }

        var row = image.Width * 3;
        for (var y = 0; y < image.Height; y++)
        {
            var from = image.Rgb.AsSpan(y * row, row);
            var to = destination.Slice(y * row, row);
            for (var x = 0; x < row; x += 3)
            {
                var at = flip ? row - 3 - x : x;
                to[at] = table[from[x]];
                to[at + 1] = table[256 + from[x + 1]];
                to[at + 2] = table[512 + from[x + 2]];
            }
        }
    }

    public bool Equals(Preprocessing? other)
        => other is not null && Mean.AsSpan().SequenceEqual(other.Mean) && Scale.AsSpan().SequenceEqual(other.Scale);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var number in Mean.Concat(Scale))
            hash.Add(number);
        return hash.ToHashCode();
    }
}
