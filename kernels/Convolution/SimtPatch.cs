using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>What a thread reads of x: for one output pixel four numbers that follow each other in the order of w's rows, one tap after the other and in it every channel.</summary>
internal struct SimtPatch
{
    /// <summary>Image·H, and the row and column that tap (0, 0) reads. A pixel beyond the last has a row that no tap brings into the map.</summary>
    public int Image, Row, Column;

    /// <summary>Row and column of the first number's tap, and its channel within the group. Beyond the last tap stands 0.</summary>
    public Odometer Tap;

    /// <param name="row">Of the product; where it pools, four rows that follow each other are the pixels of one 2×2 window.</param>
    public void Place<TPixels>(in SimtProblem p, int row)
        where TPixels : struct, ITensorPixels
    {
        int rows = default(TPixels).Rows(p.S), columns = default(TPixels).Columns(p.S), pixel = default(TPixels).Pools ? row / 4 : row;
        int line = pixel / columns % rows, column = pixel % columns;
        if (default(TPixels).Pools)
        {
            line = 2 * line + row / 2 % 2;
            column = 2 * column + row % 2;
        }
        Image = pixel / columns / rows * p.S.H;
        Row = pixel < p.S.B * rows * columns ? line * p.S.Stride - p.S.Padding : p.S.H;
        Column = column * p.S.Stride - p.S.Padding;
    }

    public readonly Float4 Read<TAccess>(ArrayView<float> x, in SimtProblem p, int group)
        where TAccess : struct, ISimtAccess
    {
        var tap = Tap;
        int first = At(p, tap, group);
        if (default(TAccess).Fours != 0)
            return MaskedAccess.Read(x, first, first < 0 ? 0 : 4, 1);
        tap.Next(p.S.S, p.GroupIc);
        int second = At(p, tap, group);
        tap.Next(p.S.S, p.GroupIc);
        int third = At(p, tap, group);
        tap.Next(p.S.S, p.GroupIc);
        return MaskedAccess.Gather(x, first, second, third, At(p, tap, group));
    }

    /// <summary>Negative in the padding and beyond the last.</summary>
    private readonly int At(in SimtProblem p, Odometer tap, int group)
    {
        int row = Row + tap.First, column = Column + tap.Second;
        bool inside = tap.First < p.S.R && row >= 0 && row < p.S.H && column >= 0 && column < p.S.W;
        return inside ? ((Image + row) * p.S.W + column) * p.S.Ic + (group * p.GroupIc + tap.Third) : -1;
    }
}
