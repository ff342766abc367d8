using ScottPlot;
using SkiaSharp;

namespace IlgpuNetVlad.Engine.Reports;

/// <summary>The font of all pictures. It comes with the program: without any font on the machine, Skia would draw no text and say nothing.</summary>
internal sealed class ReportFont : IFontResolver
{
    /// <summary>A name of its own, so that no font of the machine is taken instead.</summary>
    public const string Name = "IlgpuNetVlad Report";

    private static readonly SKTypeface Regular = Load("DejaVuSans.ttf"), Bold = Load("DejaVuSans-Bold.ttf");

    private static readonly Lazy<bool> Registered = new(() =>
    {
        Fonts.FontResolvers.Insert(0, new ReportFont());
        return true;
    });

    /// <summary>A font for drawing; the caller disposes of it.</summary>
    /// <param name="size">Height of a line in pixels, about.</param>
    public static SKFont Sized(float size, bool bold = false) => new(bold ? Bold : Regular, size) { Edging = SKFontEdging.Antialias, Subpixel = true };

    /// <summary>Makes a plot write with this font.</summary>
    public static void Use(Plot plot)
    {
        _ = Registered.Value;
        plot.Font.Set(Name);
    }

    /// <inheritdoc/>
    public SKTypeface? CreateTypeface(string fontName, bool bold, bool italic) => fontName == Name ? bold ? Bold : Regular : null;

    /// <inheritdoc/>
    public SKTypeface? CreateTypeface(string fontName, FontWeight weight, FontSlant slant, FontSpacing spacing)
        => CreateTypeface(fontName, weight >= FontWeight.SemiBold, false);

    private static SKTypeface Load(string file)
    {
        using var stream = typeof(ReportFont).Assembly.GetManifestResourceStream($"Fonts/{file}")!;
        return SKTypeface.FromStream(stream);
    }
}
