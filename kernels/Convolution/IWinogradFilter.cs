namespace IlgpuNetVlad.Kernels;

/// <summary>How the six points of <see cref="Winograd"/> are spent along a side: on so many outputs and so many taps, together one more than the points.</summary>
internal interface IWinogradFilter
{
    /// <summary>Outputs of a tile along a side.</summary>
    static abstract int Tile { get; }

    /// <summary>Taps of a filter along a side.</summary>
    static abstract int Taps { get; }
}

/// <summary>F(4×4, 3×3): 2.25 products an output and channel pair instead of 9.</summary>
internal readonly struct WinogradFilter3 : IWinogradFilter
{
    public static int Tile => 4;

    public static int Taps => 3;
}

/// <summary>F(2×2, 5×5): 9 products an output and channel pair instead of 25.</summary>
internal readonly struct WinogradFilter5 : IWinogradFilter
{
    public static int Tile => 2;

    public static int Taps => 5;
}
