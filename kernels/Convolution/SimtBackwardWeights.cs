using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// dw = Σ x·g over output pixels, g = dy·[y &gt; 0], in fp32 by large tiles (<see cref="SimtProduct"/>): rows are taps and in each the input channels, columns output channels of a group, k pixels. Both
/// tiles lie across k, for channels are neighbours in x and in dy; y is read where dy is. The pixels are cut into slices (grid z), each with sums of its own, which
/// <see cref="PartialSums"/> adds in order. 2·B·P·Q·Oc·R·S·Ic/Groups FLOPs, and 8 bytes a weight and slice. Memory is read number by number (<see cref="ByOnes"/>): by fours it would take a few registers more
/// than 128, which ptxas would spill.
/// </summary>
internal struct SimtBackwardWeights : ISimtProduct
{
    public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, SimtProblem>> Kernel =
        new($"convolution.backward-weights.{default(ByOnes).Name(SimtLargeTile<WideSimtTile>.Name)}", Run,
            a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, SimtProblem>(Run, SimtLargeTile<WideSimtTile>.Bounds), SimtLargeTile<WideSimtTile>.Bounds);

    private ArrayView<float> x, y, dy, dw;
    private SimtProblem p;

    /// <summary>Its taps are this thread's four rows, its pixel that of the next step.</summary>
    private SimtPatch patch;

    /// <summary>Image, row and column of this thread's output pixel in the next step.</summary>
    private Odometer pixel;

    /// <summary>The block's first pixel, and the one behind its slice's last.</summary>
    private int first, end;

    /// <summary>This thread's pixel, of all. Computed from its digits, for a register more would be one too many.</summary>
    private readonly int Next => (pixel.First * p.P + pixel.Second) * p.Q + pixel.Third;

    public readonly int Steps => (end - first + SimtLargeTile<WideSimtTile>.Depth - 1) / SimtLargeTile<WideSimtTile>.Depth;

    public readonly bool RowsAcross => true;

    public readonly bool ColumnsAcross => true;

    public readonly bool Pools => false;

    /// <summary>Launches it, once for each group of channels: what depends on the group is then the same for all threads, and takes none of their registers.</summary>
    /// <param name="y">Without a mask any view, which is not read.</param>
    /// <param name="dw">[slices, weights]</param>
    public static void Launch(Device device, in ConvolutionShape s, ArrayView<float> x, ArrayView<float> y, ArrayView<float> dy, ArrayView<float> dw, int slices)
    {
        for (int group = 0; group < s.Groups; group++)
            Kernel.On(device)(SimtLargeTile<WideSimtTile>.Blocks(s.R * s.S * s.GroupIc, s.GroupOc, slices), x, y, dy, dw, SimtProblem.Of(s, s.P, s.Q, slices, group));
    }

    private static void Run(ArrayView<float> x, ArrayView<float> y, ArrayView<float> dy, ArrayView<float> dw, SimtProblem p)
    {
        int pixels = p.S.B * p.P * p.Q, each = (pixels + p.Slices - 1) / p.Slices, first = Grid.IdxZ * each;
        SimtProduct.Run<SimtBackwardWeights, WideSimtTile>(new SimtBackwardWeights
        {
            x = x,
            y = y,
            dy = dy,
            dw = dw,
            p = p,
            patch = new SimtPatch { Tap = Odometer.Of(Grid.IdxX * SimtLargeTile<WideSimtTile>.Rows + SimtLargeTile<WideSimtTile>.RowLine(true), p.S.S, p.GroupIc) },
            pixel = Odometer.Of(first + SimtLargeTile<WideSimtTile>.RowDepth(true), p.P, p.Q),
            first = first,
            end = first + each < pixels ? first + each : pixels,
        });
    }

    public SimtFour LoadRows()
    {
        patch.Image = pixel.First * p.S.H;
        patch.Row = Next < end ? pixel.Second * p.S.Stride - p.S.Padding : p.S.H;
        patch.Column = pixel.Third * p.S.Stride - p.S.Padding;
        return new() { Values = patch.Read<ByOnes>(x, p, p.Group) };
    }

    public SimtFour LoadColumns()
    {
        int column = Grid.IdxY * SimtLargeTile<WideSimtTile>.Columns + SimtLargeTile<WideSimtTile>.ColumnLine(true), next = Next, at = next * p.S.YPitch + (p.Group * p.GroupOc + column), count = next < end ? p.GroupOc - column : 0;
        pixel.Add(p.Advance, p.P, p.Q);
        return new() { Values = MaskedAccess.Read(dy, at, count, 0), Y = MaskedAccess.Read(y, at, p.S.Relu != 0 ? count : 0, 0) };
    }

    public readonly Float4 Rows(SimtFour loaded) => loaded.Values;

    public readonly Float4 Columns(SimtFour loaded) => loaded.Masked(p.S.Relu);

    public readonly void Store(int row, int column, Float4 sums)
    {
        if (row < p.S.R * p.S.S * p.GroupIc)
            MaskedAccess.Write(dw, Grid.IdxZ * p.S.WLength + row * p.S.Oc + p.Group * p.GroupOc + column, p.GroupOc - column, 0, sums);
    }
}
