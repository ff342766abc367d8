using System.Runtime.InteropServices;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Data;

/// <summary>An upright 8-bit RGB image.</summary>
public sealed class PixelImage
{
    /// <param name="rgb">[height, width, 3]; kept, not copied.</param>
    public PixelImage(int height, int width, byte[] rgb)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        if (rgb.Length != (long)height * width * 3)
            throw new ArgumentException($"{rgb.Length} bytes for {height}×{width} pixels", nameof(rgb));
        Height = height;
        Width = width;
        Rgb = rgb;
    }

    public int Height { get; }

    public int Width { get; }

    /// <summary>[Height, Width, 3].</summary>
    public byte[] Rgb { get; }

    /// <summary>Writes the bytes where a plan that takes pixels has an image.</summary>
    /// <param name="to"><see cref="PixelNumbers.Floats"/>, four bytes in each.</param>
    /// <param name="flip">Left and right change places.</param>
    public void CopyTo(Span<float> to, bool flip = false)
    {
        var bytes = MemoryMarshal.AsBytes(to)[..Rgb.Length];
        if (!flip)
        {
            Rgb.CopyTo(bytes);
            return;
        }
        int row = Width * PixelNumbers.Channels;
        for (int y = 0; y < Height; y++)
        {
            ReadOnlySpan<byte> from = Rgb.AsSpan(y * row, row);
            var line = bytes.Slice(y * row, row);
            for (int x = 0; x < row; x += PixelNumbers.Channels)
                from.Slice(row - PixelNumbers.Channels - x, PixelNumbers.Channels).CopyTo(line[x..]);
        }
    }
}
