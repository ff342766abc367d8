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
}
