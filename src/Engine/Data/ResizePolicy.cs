using System.Globalization;

namespace IlgpuNetVlad.Engine.Data;

/// <summary>To which size images are brought before a network sees them. Results differ by it, so it is stored and printed with them.</summary>
public sealed record ResizePolicy
{
    private const int Largest = 16384;
    private readonly Kind kind;
    private readonly int first, second;

    private ResizePolicy(Kind kind, int first, int second)
    {
        (this.kind, this.first, this.second) = (kind, first, second);
    }

    private enum Kind
    {
        Native,
        Shorter,
        Longest,
        Exact,
    }

    /// <summary>As stored.</summary>
    public static ResizePolicy Native { get; } = new(Kind.Native, 0, 0);

    /// <summary>The shorter side becomes this long, up or down; the shape stays.</summary>
    public static ResizePolicy ShorterSide(int pixels) => new(Kind.Shorter, Checked(pixels), 0);

    /// <summary>The longer side becomes at most this long; smaller images stay as they are.</summary>
    public static ResizePolicy LongestSide(int pixels) => new(Kind.Longest, Checked(pixels), 0);

    /// <summary>Exactly this size; the shape is not kept.</summary>
    public static ResizePolicy Exact(int height, int width) => new(Kind.Exact, Checked(height), Checked(width));

    /// <summary>Reads what <see cref="ToString"/> writes: native, shorter:480, longest:1024, 480x640 (height first).</summary>
    /// <exception cref="UserErrorException">It is none of these.</exception>
    public static ResizePolicy Parse(string text)
    {
        var trimmed = text.Trim().ToLowerInvariant();
        if (trimmed == "native")
            return Native;
        var parts = trimmed.Split(':');
        if (parts.Length == 2 && Number(parts[1]) is { } side)
        {
            if (parts[0] == "shorter")
                return ShorterSide(side);
            if (parts[0] == "longest")
                return LongestSide(side);
        }

        parts = trimmed.Split('x');
        if (parts.Length == 2 && Number(parts[0]) is { } height && Number(parts[1]) is { } width)
            return Exact(height, width);
        throw new UserErrorException(
            $"The image size '{text}' is not understood; write native, shorter:480, longest:1024, or 480x640 (height first), with sides from 1 to {Largest}.");
    }

    /// <summary>Height and width that an image of this height and width gets; at least 1 each.</summary>
    public (int Height, int Width) Apply(int height, int width) => kind switch
    {
        Kind.Native => (height, width),
        Kind.Exact => (first, second),
        Kind.Shorter => Scaled(height, width, Math.Min(height, width)),
        _ => Math.Max(height, width) <= first ? (height, width) : Scaled(height, width, Math.Max(height, width)),
    };

    public override string ToString() => kind switch
    {
        Kind.Native => "native",
        Kind.Exact => string.Create(CultureInfo.InvariantCulture, $"{first}x{second}"),
        Kind.Shorter => string.Create(CultureInfo.InvariantCulture, $"shorter:{first}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"longest:{first}"),
    };

    // Half a pixel rounds up, as in the common image libraries.
    private (int Height, int Width) Scaled(int height, int width, int reference)
        => (Math.Max(1, (int)((2L * height * first + reference) / (2L * reference))), Math.Max(1, (int)((2L * width * first + reference) / (2L * reference))));

    private static int Checked(int pixels)
        => pixels is >= 1 and <= Largest ? pixels : throw new ArgumentOutOfRangeException(nameof(pixels), pixels, $"a side has 1 to {Largest} pixels");

    private static int? Number(string text)
        => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is >= 1 and <= Largest ? number : null;
}
