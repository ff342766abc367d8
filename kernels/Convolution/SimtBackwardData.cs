using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// dx = convᵀ(g, w), g = dy·[y &gt; 0], in fp32 by large tiles (<see cref="SimtProduct"/>): rows are input pixels, columns input channels of a group (grid z), k the taps and in each its output channels,
/// which are neighbours in dy and in w: both tiles lie by k. y is read where dy is. 2·B·P·Q·Oc·R·S·Ic/Groups FLOPs.
/// </summary>
internal struct SimtBackwardData<TAccess> : ISimtProduct
    where TAccess : struct, ISimtAccess
{
    public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, SimtProblem>> Kernel =
        new($"convolution.backward-data.{default(TAccess).Name(SimtLargeTile<WideSimtTile>.Name)}", Run,
            a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, SimtProblem>(Run, SimtLargeTile<WideSimtTile>.Bounds), SimtLargeTile<WideSimtTile>.Bounds);

    private ArrayView<float> w, y, dy, dx;
    private SimtProblem p;

    /// <summary>Image·P of this thread's input pixel, its row and column in the padded map; a pixel beyond the last has a row that no tap reads.</summary>
    private int image, row, column;

    /// <summary>Row and column of the tap, and output channel within the group, of the first of this thread's four k in the next step, in A and in B.</summary>
    private Odometer tap;

    public readonly int Steps => (p.S.R * p.S.S * p.GroupOc + SimtLargeTile<WideSimtTile>.Depth - 1) / SimtLargeTile<WideSimtTile>.Depth;

    public readonly bool RowsAcross => false;

    public readonly bool ColumnsAcross => false;

    public readonly bool Pools => false;

    /// <summary>Launches it.</summary>
    /// <param name="y">Without a mask any view, which is not read.</param>
    public static void Launch(Device device, in ConvolutionShape s, ArrayView<float> w, ArrayView<float> y, ArrayView<float> dy, ArrayView<float> dx)
        => Kernel.On(device)(SimtLargeTile<WideSimtTile>.Blocks(s.B * s.H * s.W, s.GroupIc, s.Groups), w, y, dy, dx, SimtProblem.Of(s, s.S, s.GroupOc));

    private static void Run(ArrayView<float> w, ArrayView<float> y, ArrayView<float> dy, ArrayView<float> dx, SimtProblem p)
    {
        int pixel = Grid.IdxX * SimtLargeTile<WideSimtTile>.Rows + SimtLargeTile<WideSimtTile>.RowLine(false);
        SimtProduct.Run<SimtBackwardData<TAccess>, WideSimtTile>(new SimtBackwardData<TAccess>
        {
            w = w,
            y = y,
            dy = dy,
            dx = dx,
            p = p,
            image = pixel / (p.S.H * p.S.W) * p.P,
            row = pixel < p.S.B * p.S.H * p.S.W ? pixel / p.S.W % p.S.H + p.S.Padding : -1,
            column = pixel % p.S.W + p.S.Padding,
            tap = Odometer.Of(SimtLargeTile<WideSimtTile>.RowDepth(false), p.S.S, p.GroupOc),
        });
    }

    public readonly SimtFour LoadRows()
    {
        var at = tap;
        int first = Gradient(at);
        at.Next(p.S.S, p.GroupOc);
        int second = Gradient(at);
        at.Next(p.S.S, p.GroupOc);
        int third = Gradient(at);
        at.Next(p.S.S, p.GroupOc);
        int fourth = Gradient(at);
        return new() { Values = Four(dy, 1, first, second, third, fourth), Y = Four(y, p.S.Relu, first, second, third, fourth) };
    }

    public SimtFour LoadColumns()
    {
        var at = tap;
        int first = Weight(at);
        at.Next(p.S.S, p.GroupOc);
        int second = Weight(at);
        at.Next(p.S.S, p.GroupOc);
        int third = Weight(at);
        at.Next(p.S.S, p.GroupOc);
        int fourth = Weight(at);
        tap.Add(p.Advance, p.S.S, p.GroupOc);
        return new() { Values = Four(w, 1, first, second, third, fourth) };
    }

    public readonly Float4 Rows(SimtFour loaded) => loaded.Masked(p.S.Relu);

    public readonly Float4 Columns(SimtFour loaded) => loaded.Values;

    /// <summary>Neighbours where they are read by fours.</summary>
    /// <param name="wanted">0: nothing is read.</param>
    private static Float4 Four(ArrayView<float> from, int wanted, int first, int second, int third, int fourth)
        => default(TAccess).Fours != 0
            ? MaskedAccess.Read(from, first, wanted == 0 || first < 0 ? 0 : 4, 1)
            : MaskedAccess.Gather(from, wanted == 0 ? -1 : first, wanted == 0 ? -1 : second, wanted == 0 ? -1 : third, wanted == 0 ? -1 : fourth);

    /// <summary>Where the gradient stands of the output pixel that reads this thread's input pixel at a tap; negative where there is none.</summary>
    private readonly int Gradient(Odometer tap)
    {
        int down = row - tap.First, right = column - tap.Second;
        bool inside = tap.First < p.S.R && down >= 0 && right >= 0;
        if (p.S.Stride > 1)
        {
            inside = inside && down % p.S.Stride == 0 && right % p.S.Stride == 0;
            down /= p.S.Stride;
            right /= p.S.Stride;
        }
        inside = inside && down < p.P && right < p.Q;
        return inside ? ((image + down) * p.Q + right) * p.S.YPitch + Grid.IdxZ * p.GroupOc + tap.Third : -1;
    }

    private readonly int Weight(Odometer tap)
    {
        int channel = Grid.IdxY * SimtLargeTile<WideSimtTile>.Columns + SimtLargeTile<WideSimtTile>.ColumnLine(false);
        return tap.First < p.S.R && channel < p.GroupIc ? ((tap.First * p.S.S + tap.Second) * p.GroupIc + channel) * p.S.Oc + Grid.IdxZ * p.GroupOc + tap.Third : -1;
    }

    public readonly void Store(int row, int column, Float4 sums)
    {
        if (row < p.S.B * p.S.H * p.S.W)
            MaskedAccess.Write(dx, row * p.S.Ic + Grid.IdxZ * p.GroupIc + column, p.GroupIc - column, default(TAccess).Fours, sums);
    }
}
