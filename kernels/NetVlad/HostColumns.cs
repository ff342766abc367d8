using System.Runtime.CompilerServices;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// The columns of a matrix [rows][columns] in panels as wide as a register tile: 4 vectors with AVX-512, 2, then 1; the last columns, which fill no vector, are one narrow panel.
/// Rows of a panel stand behind each other: in the matrix they lie a power of two apart as often as not, which few sets of a cache hold.
/// </summary>
internal static unsafe class HostColumns
{
    /// <summary>Columns of the panel that begins where so many are left.</summary>
    public static int Width(int left)
    {
        int lanes = HostSimd.Lanes;
        return left < lanes ? left : lanes == 16 && left >= HostPanels.MaxWidth ? HostPanels.MaxWidth : left >= 2 * lanes ? 2 * lanes : lanes;
    }

    /// <summary>Panels of so many columns.</summary>
    public static int Count(int columns)
    {
        int count = 0;
        for (int start = 0; start < columns; start += Width(columns - start))
            count++;
        return count;
    }

    /// <summary>The first column of a panel.</summary>
    public static int Start(int columns, int panel)
    {
        int start = 0;
        for (; panel > 0; panel--)
            start += Width(columns - start);
        return start;
    }

    /// <summary>panel[k][0 … width) = from[k·stride …] of so many rows; from <paramref name="next"/> on as many rows are asked for meanwhile, if it is not null.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Gather(float* from, int stride, float* panel, int width, int rows, float* next)
    {
        for (int k = 0; k < rows; k++, from += stride, panel += width)
        {
            if (next != null)
                HostPrefetch.Far(next + (long)k * stride, width);
            PackedPanel.Copy(from, panel, width);
        }
    }

    /// <summary>
    /// to[i·toStride + j] += Σ_k a[i·rowStep + k·aStep] · panel[k][j] for <paramref name="rows"/> rows, k in order. Where the panel is of whole vectors, rows of <paramref name="to"/> are written up to
    /// whole register tiles.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(float* a, int rowStep, int aStep, int rows, float* panel, int width, int length, float* to, int toStride)
    {
        if (width < HostSimd.Lanes)
        {
            for (int j = 0; j < width; j++)
                for (int i = 0; i < rows; i++)
                {
                    float sum = to[(long)i * toStride + j];
                    for (int k = 0; k < length; k++)
                        sum = float.MultiplyAddEstimate(a[(long)i * rowStep + (long)k * aStep], panel[k * width + j], sum);
                    to[(long)i * toStride + j] = sum;
                }
            return;
        }
        int* offsets = stackalloc int[RegisterTile.Rows];
        for (int row = 0; row < rows; row += RegisterTile.Rows)
        {
            for (int i = 0; i < RegisterTile.Rows; i++)
                offsets[i] = (Math.Min(row + i, rows - 1) - row) * rowStep;
            HostPanels.MultiplyOuter(width, a + (long)row * rowStep, offsets, 1, 0, length, aStep, panel, width, to + (long)row * toStride, toStride);
        }
    }
}
