namespace IlgpuNetVlad.Kernels;

/// <summary>A row of a forward product: image·H, and the row and column that tap (0, 0) reads. A pixel beyond the last has a row that no tap brings into the map.</summary>
internal struct TensorCorePixel
{
    public int Image, Row, Column;

    /// <param name="row">Of the product; where it pools, rows are the pixels of windows (<see cref="TensorProduct.Window"/>).</param>
    public static TensorCorePixel Place<TPixels>(in ConvolutionShape s, int row)
        where TPixels : struct, ITensorPixels
    {
        int pixel = default(TPixels).Pools ? TensorProduct.Window(row) : row, rows = default(TPixels).Rows(s), columns = default(TPixels).Columns(s);
        int line = pixel / columns % rows, column = pixel % columns;
        if (default(TPixels).Pools)
        {
            line = 2 * line + row / 16 % 2;
            column = 2 * column + row / 8 % 2;
        }
        return new()
        {
            Image = pixel / (rows * columns) * s.H,
            Row = pixel < s.B * rows * columns ? line * s.Stride - s.Padding : s.H,
            Column = column * s.Stride - s.Padding,
        };
    }
}
