using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// What the taps of a convolution read for one output pixel, in the order of w's rows: one tap after the other, and in it every channel. The taps of a row of the kernel are neighbours in memory, so it walks
/// along lines of S·Ic numbers, of which those between the map's first and last column count. In the padding, and beyond the last tap, stands 0. No division, and no branch.
/// </summary>
internal struct TapRow<TSource> : IPackingRow
    where TSource : struct, ITapSource
{
    private ArrayView<float> x;
    private PixelNumbers numbers;

    /// <summary>Row of the map, and the first that is no longer read.</summary>
    private int row, rows;

    /// <summary>Place in the row, where a line of taps begins and ends there, and the length of a row.</summary>
    private int at, from, end, length;

    /// <summary>Index of the row's first number.</summary>
    private int start;

    /// <param name="first">Index of the image's first number.</param>
    /// <param name="row">Row that tap (0, 0) reads; H where the pixel lies beyond the last.</param>
    /// <param name="column">Column that it reads.</param>
    /// <param name="r">Row of the kernel with which it begins…</param>
    /// <param name="k">…and the number in that.</param>
    /// <param name="numbers">For that number.</param>
    public static TapRow<TSource> At(ArrayView<float> x, in ConvolutionShape s, int first, int row, int column, int r, int k, in PixelNumbers numbers)
    {
        int end = row + s.R < s.H ? row + s.R : s.H, from = column * s.Ic, length = s.W * s.Ic;
        return new()
        {
            x = x,
            numbers = numbers,
            row = row + r,
            rows = end < 0 ? 0 : end,
            at = from + k,
            from = from,
            end = from + s.S * s.Ic,
            length = length,
            start = first + (row + r) * length,
        };
    }

    public float Next()
    {
        // As unsigned numbers what lies before the first is beyond the last.
        bool inside = (uint)row < (uint)rows & (uint)at < (uint)length;
        float value = default(TSource).Number(x, inside ? start + at : 0, numbers);
        numbers = default(TSource).Next(numbers);
        at++;
        bool line = at == end;
        at = line ? from : at;
        row += line ? 1 : 0;
        start += line ? length : 0;
        return inside ? value : 0;
    }
}
