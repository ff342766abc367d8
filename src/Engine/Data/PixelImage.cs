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

    /// <summary>Copies pixels that stand in memory, such as a camera's frame.</summary>
    /// <param name="pixels">Rows from the top down, each from left to right.</param>
    /// <param name="stride">Bytes from the beginning of one row to that of the next; 0 where rows follow each other without a gap.</param>
    /// <exception cref="ArgumentException">There are fewer bytes than that.</exception>
    public static PixelImage Of(ReadOnlySpan<byte> pixels, int height, int width, PixelOrder order = PixelOrder.Rgb, int stride = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        var (bytes, red, green, blue) = order switch
        {
            PixelOrder.Rgb => (3, 0, 1, 2),
            PixelOrder.Bgr => (3, 2, 1, 0),
            PixelOrder.Rgba => (4, 0, 1, 2),
            PixelOrder.Bgra => (4, 2, 1, 0),
            PixelOrder.Grey => (1, 0, 0, 0),
            _ => throw new ArgumentOutOfRangeException(nameof(order), order, "no such order"),
        };
        long row = (long)width * bytes, step = stride == 0 ? row : stride;
        if (step < row)
            throw new ArgumentException($"Rows of {width} pixels take {row} bytes and cannot begin {stride} bytes apart.", nameof(stride));
        if (pixels.Length < (height - 1) * step + row)
            throw new ArgumentException($"{pixels.Length} bytes are too few for {height}×{width} pixels of {bytes} bytes, rows {step} bytes apart.", nameof(pixels));
        var rgb = new byte[checked(height * width * 3)];
        int to = 0;
        for (int y = 0; y < height; y++)
        {
            var from = pixels.Slice((int)(y * step), (int)row);
            for (int x = 0; x < from.Length; x += bytes, to += 3)
                (rgb[to], rgb[to + 1], rgb[to + 2]) = (from[x + red], from[x + green], from[x + blue]);
        }
        return new(height, width, rgb);
    }

    public int Height { get; }

    public int Width { get; }

    /// <summary>[Height, Width, 3].</summary>
    public byte[] Rgb { get; }

    /// <summary>The image at the size that a policy gives it, as decoders make it; the image itself where that is its own size.</summary>
    public PixelImage Resized(ResizePolicy policy)
    {
        var (height, width) = policy.Apply(Height, Width);
        return Resampling.Resize(this, height, width);
    }

    /// <summary>A part of the image, copied.</summary>
    /// <param name="top">First row; with <paramref name="height"/> it must end within the image, and columns alike.</param>
    public PixelImage Crop(int top, int left, int height, int width)
    {
        if (top < 0 || left < 0 || height < 1 || width < 1 || top > Height - height || left > Width - width)
            throw new ArgumentException($"{height} rows from {top} and {width} columns from {left} do not lie within {Height}×{Width} pixels.");
        var rgb = new byte[height * width * 3];
        for (int y = 0; y < height; y++)
            Rgb.AsSpan(((top + y) * Width + left) * 3, width * 3).CopyTo(rgb.AsSpan(y * width * 3));
        return new(height, width, rgb);
    }

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
