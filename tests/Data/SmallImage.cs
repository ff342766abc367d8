using SkiaSharp;

namespace IlgpuNetVlad.Tests.Data;

/// <summary>Makes image files in memory.</summary>
internal static class SmallImage
{
    public delegate (byte R, byte G, byte B, byte A) Painter(int x, int y);

    public static byte[] Png(int height, int width, Painter paint) => Encode(height, width, paint, SKEncodedImageFormat.Png);

    public static byte[] Encode(int height, int width, Painter paint, SKEncodedImageFormat format, int quality = 100)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var (r, g, b, a) = paint(x, y);
                bitmap.SetPixel(x, y, new SKColor(r, g, b, a));
            }
        }

        using var data = bitmap.Encode(format, quality);
        return data.ToArray();
    }

    /// <summary>A JPEG with grey values only, stored as one channel or as PNG with one.</summary>
    public static byte[] Grey(int height, int width, byte value, SKEncodedImageFormat format)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Gray8, SKAlphaType.Opaque));
        bitmap.Erase(new SKColor(value, value, value));
        using var data = bitmap.Encode(format, 100);
        return data.ToArray();
    }

    /// <summary>Puts an EXIF block with nothing but an orientation behind the first marker of a JPEG.</summary>
    public static byte[] WithOrientation(byte[] jpeg, int orientation)
    {
        byte[] block =
        [
            0xFF, 0xE1, 0, 34, (byte)'E', (byte)'x', (byte)'i', (byte)'f', 0, 0,
            (byte)'M', (byte)'M', 0, 42, 0, 0, 0, 8, // big endian, directory at 8
            0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, (byte)orientation, 0, 0, // one entry: tag 0x0112, one short
            0, 0, 0, 0,
        ];
        return [.. jpeg.AsSpan(0, 2), .. block, .. jpeg.AsSpan(2)];
    }

    /// <summary>Puts an EXIF block with nothing but a place, in whole degrees and minutes, behind the first marker of a JPEG.</summary>
    public static byte[] WithPosition(byte[] jpeg, byte degreesNorth, byte minutesNorth, byte degreesWest, byte minutesWest)
    {
        byte[] block =
        [
            .. "Exif\0\0MM"u8, 0, 42, 0, 0, 0, 8, // big endian, directory at 8
            0, 1, 0x88, 0x25, 0, 4, 0, 0, 0, 1, 0, 0, 0, 26, 0, 0, 0, 0, // one entry: the GPS directory at 26
            0, 4,
            0, 1, 0, 2, 0, 0, 0, 2, (byte)'N', 0, 0, 0,
            0, 2, 0, 5, 0, 0, 0, 3, 0, 0, 0, 80, // three fractions at 80
            0, 3, 0, 2, 0, 0, 0, 2, (byte)'W', 0, 0, 0,
            0, 4, 0, 5, 0, 0, 0, 3, 0, 0, 0, 104,
            0, 0, 0, 0,
            .. Fraction(degreesNorth), .. Fraction(minutesNorth), .. Fraction(0),
            .. Fraction(degreesWest), .. Fraction(minutesWest), .. Fraction(0),
        ];
        return [.. jpeg.AsSpan(0, 2), 0xFF, 0xE1, 0, (byte)(block.Length + 2), .. block, .. jpeg.AsSpan(2)];

        static byte[] Fraction(byte number) => [0, 0, 0, number, 0, 0, 0, 1];
    }
}
