using System.Runtime.CompilerServices;

namespace IlgpuNetVlad.Kernels;

/// <summary>The rows that patches of <see cref="Winograd"/>'s tiles side by side read of a map [image][row][column], <paramref name="pitch"/> floats a pixel.</summary>
/// <param name="ring">The map's rows; or fewer, of one image, where row r stands in row r mod so many.</param>
internal readonly unsafe struct WinogradPatches(float* map, int rows, int ring, int columns, int pitch)
{
    /// <summary>lines[i] = where row <paramref name="top"/> + i of the image begins; where that is none of the map, some row.</summary>
    /// <param name="count">Rows that are read.</param>
    /// <param name="inside">Of each row whether it is one of the map, 1 or 0.</param>
    /// <returns>Whether all that are read are.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public bool Find(int image, int top, int count, float** lines, float* inside)
    {
        for (int i = 0; i < Winograd.Patch; i++)
        {
            int h = Math.Clamp(top + i, 0, rows - 1);
            inside[i] = h == top + i ? 1 : 0;
            lines[i] = map + ((long)image * rows + h % ring) * columns * pitch;
        }
        return top >= 0 && top + count <= rows;
    }
}
