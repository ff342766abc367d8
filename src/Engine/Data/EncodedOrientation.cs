namespace IlgpuNetVlad.Engine.Data;

/// <summary>Turns pixels upright by the orientation that a camera wrote beside them (EXIF tag 0x0112).</summary>
internal static class EncodedOrientation
{
    /// <summary>True if the upright image has height and width exchanged.</summary>
    public static bool Transposes(int orientation) => orientation is >= 5 and <= 8;

    /// <param name="rgb">[height, width, 3] as stored.</param>
    /// <param name="orientation">1 to 8 by the standard: what the stored first row and first column are of the upright image (1 top and left, 2 top
    /// and right, 3 bottom and right, 4 bottom and left, 5 left and top, 6 right and top, 7 right and bottom, 8 left and bottom).</param>
    public static PixelImage Upright(int height, int width, byte[] rgb, int orientation)
    {
        if (orientation is < 2 or > 8)
            return new PixelImage(height, width, rgb);
        var transposed = Transposes(orientation);
        var (h, w) = transposed ? (width, height) : (height, width);
        var mirrorColumns = orientation is 2 or 3 or 7 or 8;
        var mirrorRows = orientation is 3 or 4 or 6 or 7;
        var upright = new byte[rgb.Length];
        for (var y = 0; y < h; y++)
        {
            for (var x = 0; x < w; x++)
            {
                var (row, column) = transposed ? (x, y) : (y, x);
                if (mirrorRows)
                    row = height - 1 - row;
                if (mirrorColumns)
                    column = width - 1 - column;
                rgb.AsSpan((row * width + column) * 3, 3).CopyTo(upright.AsSpan((y * w + x) * 3, 3));
            }
        }

        return new PixelImage(h, w, upright);
    }
}
