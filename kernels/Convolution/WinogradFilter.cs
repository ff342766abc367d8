namespace IlgpuNetVlad.Kernels;

/// <summary>What <see cref="Winograd"/> is for filters of one size: their transform, and which convolutions are computed so.</summary>
internal static class WinogradFilter<TFilter>
    where TFilter : struct, IWinogradFilter
{
    /// <summary>G: rows are points, columns the powers below <see cref="IWinogradFilter.Taps"/>.</summary>
    public static readonly double[] G = MakeG();

    private static double[] MakeG()
    {
        const double a = Winograd.A, b = Winograd.B;
        int taps = TFilter.Taps;
        double nearZero = 1 / (a * a * b * b), nearA = 1 / (2 * a * a * (a * a - b * b)), nearB = 1 / (2 * b * b * (b * b - a * a));
        var g = new double[Winograd.Patch * taps];
        g[0] = nearZero;
        for (int power = 0; power < taps; power++, nearA *= a, nearB *= b)
        {
            int sign = power % 2 == 0 ? 1 : -1;
            g[taps + power] = nearA;
            g[2 * taps + power] = sign * nearA;
            g[3 * taps + power] = nearB;
            g[4 * taps + power] = sign * nearB;
        }
        g[^1] = 1;
        return g;
    }

    /// <summary>
    /// Why a forward pass or a gradient by data is not computed so, or null: by the image alone, for what an image gives must not depend on what else is in its batch. With few tiles
    /// and weights that are not kept transformed, it takes a batch to make up for the transform: of small maps, which go through in batches, those of many channels alone are taken.
    /// </summary>
    public static string? Refuses(ConvolutionShape s)
        => RefusesShape(s, 16) ?? (ImageTiles(s) < (Math.Min(s.Ic, s.Oc) < 256 ? 12 : 4)
            ? "takes maps of 12 tiles or more, or 4 with 256 channels on both sides: with fewer, transforming the weights costs more than it saves" : null);

    /// <summary>
    /// Why a gradient by weights, whose transforms are the most, is not computed so, or null. It is a sum over the batch, whose tiles decide: measured on channels from
    /// 64 to 512 and 3×3 taps, with 96 of them or more this way takes less time, with 48 more.
    /// </summary>
    public static string? RefusesGradient(ConvolutionShape s)
        => RefusesShape(s, 24) ?? (s.B * ImageTiles(s) is > 0 and < 64 ? "takes batches of 64 tiles or more: with fewer, transforming the weights costs more than it saves" : null);

    private static string? RefusesShape(ConvolutionShape s, int channels)
    {
        if (s.R != TFilter.Taps || s.S != TFilter.Taps || s.Stride != 1 || s.Groups != 1 || s.Padding >= TFilter.Taps)
            return $"takes {TFilter.Taps}×{TFilter.Taps} taps with stride 1, one group and at most {TFilter.Taps - 1} pixels of padding";
        if (s.Ic < channels || s.Oc < channels)
            return "takes more channels (16 on both sides, for the gradient by weights 24): with few, the transforms cost more than the products";
        return ImageTiles(s) * TFilter.Tile * TFilter.Tile > 2L * s.P * s.Q ? $"takes maps that fill half of their {TFilter.Tile}×{TFilter.Tile} tiles" : null;
    }

    private static long ImageTiles(ConvolutionShape s) => (long)Tiles(s.P) * Tiles(s.Q);

    /// <summary>
    /// Whether the last row of a map's tiles are half ones. With few channels the transforms are most of what such tiles take, and weights stay in the caches.
    /// </summary>
    public static bool EndsInHalf(int outputRows, int channels, int outChannels) => TFilter.Tile == 4 && Math.Min(channels, outChannels) >= 128 && outputRows % TFilter.Tile is 1 or 2;

    /// <summary>Tiles along a side of so many outputs.</summary>
    public static int Tiles(int outputs) => (outputs + TFilter.Tile - 1) / TFilter.Tile;
}
