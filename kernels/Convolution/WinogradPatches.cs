using System.Runtime.CompilerServices;

namespace IlgpuNetVlad.Kernels;

/// <summary>Where the 6×6 patches that <see cref="Winograd"/>'s tiles read lie in a map [image][row][column], <paramref name="pitch"/> floats a pixel.</summary>
/// <param name="ring">The map's rows; or fewer, of one image, where row r stands in row r mod so many.</param>
internal readonly unsafe struct WinogradPatches(float* map, int rows, int ring, int columns, int pitch, int padding)
{
    /// <summary>pixels[6j + i] = row i, column j of the patches of tiles side by side, or zeros outside of the map.</summary>
    /// <param name="row">The first tile's first output.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Find<TFilter>(int image, int row, int column, int tiles, float* zeros, float** pixels)
        where TFilter : struct, IWinogradFilter
    {
        int width = (tiles - 1) * TFilter.Tile + Winograd.Patch;
        for (int i = 0; i < Winograd.Patch; i++)
        {
            int h = row + i - padding;
            float* line = map + ((long)image * rows + h % ring) * columns * pitch;
            for (int j = 0; j < width; j++)
            {
                int w = column + j - padding;
                pixels[j * Winograd.Patch + i] = (uint)h < (uint)rows && (uint)w < (uint)columns ? line + (long)w * pitch : zeros;
            }
        }
    }
}
