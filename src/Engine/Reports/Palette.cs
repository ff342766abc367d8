using SkiaSharp;

namespace IlgpuNetVlad.Engine.Reports;

/// <summary>Colours that people with any kind of colour vision can tell apart (Okabe and Ito's). Whatever they say, a shape says too.</summary>
internal static class Palette
{
    public static readonly SKColor Ink = new(0x22, 0x22, 0x22), Faint = new(0x77, 0x77, 0x77), Line = new(0xD8, 0xD8, 0xD8), Paper = SKColors.White;
    public static readonly SKColor Query = new(0x00, 0x72, 0xB2), Right = new(0x00, 0x9E, 0x73), Wrong = new(0xD5, 0x5E, 0x00);

    /// <summary>For curves, in this order.</summary>
    public static readonly SKColor[] Curves =
    [
        new(0x00, 0x72, 0xB2), new(0xD5, 0x5E, 0x00), new(0x00, 0x9E, 0x73), new(0xCC, 0x79, 0xA7), new(0x22, 0x22, 0x22), new(0xE6, 0x9F, 0x00), new(0x56, 0xB4, 0xE9),
    ];
}
