namespace IlgpuNetVlad.Kernels;

/// <summary>
/// What a convolution's output pixels (<see cref="Row"/> + i·<see cref="Step"/>, <see cref="Column"/> + j·<see cref="Step"/>) are made of. Backward through a stride, an
/// input pixel meets only those taps whose distance divides by the stride: each remainder of row and column is a convolution of stride 1 with
/// its own taps, r = <see cref="FirstTapRow"/> + stride·t; so no zero is multiplied that a spread dy would hold. Forward there is one phase.
/// </summary>
/// <param name="Rows">Output pixels of this phase; columns alike. May be 0.</param>
/// <param name="TapRows">Taps of this phase; 0 where no tap reaches it and the output is 0.</param>
/// <param name="PadTop">Zeros before the first row that it reads; negative where it begins further down.</param>
internal readonly record struct HostPhase(
    int Row, int Column, int Step, int Rows, int Columns, int FirstTapRow, int FirstTapColumn, int TapRows, int TapColumns, int PadTop, int PadLeft)
{
    public static HostPhase Forward(in ConvolutionShape s) => new(0, 0, 1, s.P, s.Q, 0, 0, s.R, s.S, s.Padding, s.Padding);

    /// <param name="index">0 … stride² − 1.</param>
    public static HostPhase Backward(in ConvolutionShape s, int index)
    {
        int row = index / s.Stride, column = index % s.Stride;
        int firstRow = (row + s.Padding) % s.Stride, firstColumn = (column + s.Padding) % s.Stride;
        int tapRows = Count(s.R, firstRow, s.Stride), tapColumns = Count(s.S, firstColumn, s.Stride);
        // Tap t of output i reads dy's row i + (row + padding) / stride − t, so the last tap reads the first row.
        return new(row, column, s.Stride, Count(s.H, row, s.Stride), Count(s.W, column, s.Stride), firstRow, firstColumn, tapRows, tapColumns,
            tapRows - 1 - (row + s.Padding) / s.Stride, tapColumns - 1 - (column + s.Padding) / s.Stride);
    }

    /// <summary>Numbers first, first + step, … below end.</summary>
    private static int Count(int end, int first, int step) => first < end ? (end - first + step - 1) / step : 0;
}
