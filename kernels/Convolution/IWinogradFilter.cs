namespace IlgpuNetVlad.Kernels;

/// <summary>How the six points of <see cref="Winograd"/> are spent along a side: on so many outputs and so many taps, together one more than the points.</summary>
internal interface IWinogradFilter
{
    /// <summary>Outputs of a tile along a side.</summary>
    static abstract int Tile { get; }

    /// <summary>Outputs of a tile from top to bottom: the same, or half of them, which the points ±b do not take part in.</summary>
    static abstract int TileRows { get; }

    /// <summary>Taps of a filter along a side.</summary>
    static abstract int Taps { get; }
}

/// <summary>F(4×4, 3×3): 2.25 products an output and channel pair instead of 9.</summary>
internal readonly struct WinogradFilter3 : IWinogradFilter
{
    public static int Tile => 4;

    public static int TileRows => Tile;

    public static int Taps => 3;
}

/// <summary>F(2×4, 3×3), where a map ends two rows behind its last whole tile, or one: 24 products a channel pair, 3 an output, by weights that are transformed for <see cref="WinogradFilter3"/>.</summary>
internal readonly struct WinogradHalfFilter3 : IWinogradFilter
{
    public static int Tile => 4;

    public static int TileRows => Tile / 2;

    public static int Taps => 3;
}

/// <summary>F(2×2, 5×5): 9 products an output and channel pair instead of 25.</summary>
internal readonly struct WinogradFilter5 : IWinogradFilter
{
    public static int Tile => 2;

    public static int TileRows => Tile;

    public static int Taps => 5;
}
