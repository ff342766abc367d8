using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>Where the tile of this block lies: its image, and its first row and column of pixels there.</summary>
internal struct TmaPlace
{
    public int Image, Row, Column;

    /// <param name="rows">Of a map of the result.</param>
    /// <param name="columns">Of a map of the result.</param>
    public static TmaPlace Of(int rows, int columns)
    {
        int across = TmaTile.CountAcross(columns), down = TmaTile.CountDown(rows), tile = Grid.IdxX;
        return new() { Image = tile / (across * down), Row = tile / across % down * TmaTile.Down, Column = tile % across * TmaTile.Across };
    }
}
