using System.Numerics;

namespace IlgpuNetVlad.Kernels;

/// <summary>Where a tile's number of a channel stands among those of one point.</summary>
internal interface IWinogradLayout
{
    /// <param name="channel">The first of a vector's, which stand side by side.</param>
    nint Place(int tile, int channel, int channels);
}

/// <summary>[tile][channel].</summary>
internal readonly struct WinogradRows : IWinogradLayout
{
    public nint Place(int tile, int channel, int channels) => (nint)tile * channels + channel;
}

/// <summary>[tile / 6][channel / 8][tile mod 6][channel mod 8], as <see cref="RegisterTile.MultiplyBlocks2"/> reads; for vectors of 8 and channels that are a multiple of it.</summary>
internal readonly struct WinogradBlocks : IWinogradLayout
{
    public nint Place(int tile, int channel, int channels)
        => (nint)(tile / RegisterTile.Rows) * RegisterTile.Rows * channels + (nint)channel * RegisterTile.Rows + tile % RegisterTile.Rows * RegisterTile.Depth;
}

/// <summary>[channel / <paramref name="group"/>][tile][channel mod group], so many tiles as <paramref name="rows"/>; a group that is no power of 2 holds all channels.</summary>
internal readonly struct WinogradGroups(int group, int rows) : IWinogradLayout
{
    private readonly int shift = BitOperations.IsPow2(group) ? BitOperations.Log2((uint)group) : 31;

    public nint Place(int tile, int channel, int channels) => ((nint)(channel >> shift) * rows + tile) * group + (channel & (1 << shift) - 1);
}
