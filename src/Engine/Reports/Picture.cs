using IlgpuNetVlad.Engine.Data;
using SkiaSharp;

namespace IlgpuNetVlad.Engine.Reports;

/// <summary>A picture being drawn on white paper, in pixels from the top left.</summary>
internal sealed class Picture : IDisposable
{
    private readonly SKSurface surface;

    /// <exception cref="UserErrorException">So many pixels do not fit.</exception>
    public Picture(int width, int height)
    {
        (Width, Height) = (width, height);
        surface = (long)width * height <= SkiaImageDecoder.MaxPixels ? SKSurface.Create(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Premul)) : null!;
        if (surface is null)
            throw new UserErrorException($"A picture of {width}×{height} pixels is too large; ask for fewer rows or columns.");
        Canvas.Clear(Palette.Paper);
    }

    public int Width { get; }

    public int Height { get; }

    public SKCanvas Canvas => surface.Canvas;

    /// <summary>Writes one line of text, cut short with … in its middle where it is wider than <paramref name="width"/>: names of files differ at their ends.</summary>
    /// <param name="y">The line that letters stand on.</param>
    public void Text(string text, float x, float y, float size, SKColor? colour = null, bool bold = false, SKTextAlign align = SKTextAlign.Left, float width = float.MaxValue)
    {
        using var font = ReportFont.Sized(size, bold);
        using var paint = new SKPaint { Color = colour ?? Palette.Ink, IsAntialias = true };
        Canvas.DrawText(Shortened(text, font, width), x, y, align, font, paint);
    }

    /// <summary>Breaks a text between its words into lines that are no wider than <paramref name="width"/>, a single long word excepted.</summary>
    public static IReadOnlyList<string> Break(string text, float size, bool bold, float width)
    {
        using var font = ReportFont.Sized(size, bold);
        List<string> lines = [];
        foreach (var word in text.Split(' '))
        {
            if (lines.Count > 0 && font.MeasureText($"{lines[^1]} {word}") <= width)
                lines[^1] += " " + word;
            else
                lines.Add(word);
        }

        return lines;
    }

    public void Disc(float x, float y, float radius, SKColor colour)
    {
        using var paint = new SKPaint { Color = colour, IsAntialias = true };
        Canvas.DrawCircle(x, y, radius, paint);
    }

    public void Lines(SKColor colour, float thickness, params ReadOnlySpan<(float X1, float Y1, float X2, float Y2)> lines)
    {
        using var paint = new SKPaint { Color = colour, StrokeWidth = thickness, IsAntialias = true, IsStroke = true, StrokeCap = SKStrokeCap.Butt };
        foreach (var (x1, y1, x2, y2) in lines)
            Canvas.DrawLine(x1, y1, x2, y2, paint);
    }

    public void Image(PixelImage image, float x, float y)
    {
        var rgba = new byte[image.Height * image.Width * 4];
        for (var i = 0; i < image.Height * image.Width; i++)
        {
            image.Rgb.AsSpan(3 * i, 3).CopyTo(rgba.AsSpan(4 * i));
            rgba[4 * i + 3] = 255;
        }

        using var pixels = SKImage.FromPixelCopy(new SKImageInfo(image.Width, image.Height, SKColorType.Rgba8888, SKAlphaType.Opaque), rgba);
        Canvas.DrawImage(pixels, x, y);
    }

    /// <summary>Writes a PNG.</summary>
    /// <exception cref="UserErrorException">The place cannot be written.</exception>
    public void Save(string path)
    {
        using var image = surface.Snapshot();
        using var data = image.Encode(SKEncodedImageFormat.Png, 100);
        AtomicFile.Write(path, data.AsSpan());
    }

    public void Dispose() => surface.Dispose();

    internal static string Shortened(string text, SKFont font, float width)
    {
        if (font.MeasureText(text) <= width)
            return text;
        for (var kept = text.Length - 1; kept > 0; kept--)
        {
            var shorter = $"{text[..((kept + 1) / 2)]}…{text[^(kept / 2)..]}";
            if (font.MeasureText(shorter) <= width)
                return shorter;
        }

        return "…";
    }
}
