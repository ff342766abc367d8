using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// y = act(conv(x, w) + b) in fp32 by large tiles (<see cref="SimtProduct"/>), or its 2×2 maxima: rows are output pixels, columns output channels of a group (grid z), k the taps and in each its channels.
/// A tile of A lies by k, for channels are neighbours in x, one of B across. 2·B·P·Q·Oc·R·S·Ic/Groups FLOPs.
/// </summary>
internal struct SimtForward<TPixels, TAccess, TTile> : ISimtProduct
    where TPixels : struct, ITensorPixels
    where TAccess : struct, ISimtAccess
    where TTile : struct, ISimtTile
{
    public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, SimtProblem>> Kernel =
        new($"convolution.{default(TPixels).Operation}.{default(TAccess).Name(SimtLargeTile<TTile>.Name)}", Run,
            a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, SimtProblem>(Run, SimtLargeTile<TTile>.Bounds), SimtLargeTile<TTile>.Bounds);

    private ArrayView<float> x, w, b, y;
    private SimtProblem p;
    private SimtPatch patch;

    /// <summary>k of this thread's four weights in the next step.</summary>
    private int next;

    private readonly int Depth => p.S.R * p.S.S * p.GroupIc;

    public readonly int Steps => (Depth + SimtLargeTile<TTile>.Depth - 1) / SimtLargeTile<TTile>.Depth;

    public readonly bool RowsAcross => false;

    public readonly bool ColumnsAcross => true;

    public readonly bool Pools => default(TPixels).Pools;

    /// <summary>Launches it.</summary>
    public static void Launch(Device device, in ConvolutionShape s, ArrayView<float> x, ArrayView<float> w, ArrayView<float> b, ArrayView<float> y)
    {
        int pixels = s.B * default(TPixels).Rows(s) * default(TPixels).Columns(s) * (default(TPixels).Pools ? 4 : 1);
        Kernel.On(device)(SimtLargeTile<TTile>.Blocks(pixels, s.GroupOc, s.Groups), x, w, b, y, SimtProblem.Of(s, s.S, s.GroupIc, advance: SimtLargeTile<TTile>.Depth / SimtLargeTile<TTile>.RowLoads));
    }

    private static void Run(ArrayView<float> x, ArrayView<float> w, ArrayView<float> b, ArrayView<float> y, SimtProblem p)
    {
        var patch = new SimtPatch { Tap = Odometer.Of(SimtLargeTile<TTile>.RowDepth(false), p.S.S, p.GroupIc) };
        patch.Place<TPixels>(p, Grid.IdxX * SimtLargeTile<TTile>.Rows + SimtLargeTile<TTile>.RowLine(false));
        SimtProduct.Run<SimtForward<TPixels, TAccess, TTile>, TTile>(new SimtForward<TPixels, TAccess, TTile>
        {
            x = x,
            w = w,
            b = b,
            y = y,
            p = p,
            patch = patch,
            next = SimtLargeTile<TTile>.ColumnDepth(true),
        });
    }

    public SimtFour LoadRows()
    {
        var loaded = patch.Read<TAccess>(x, p, Grid.IdxZ);
        patch.Tap.Add(p.Advance, p.S.S, p.GroupIc);
        return new() { Values = loaded };
    }

    public SimtFour LoadColumns()
    {
        int column = Grid.IdxY * SimtLargeTile<TTile>.Columns + SimtLargeTile<TTile>.ColumnLine(true), k = next;
        next += SimtLargeTile<TTile>.Depth;
        return new() { Values = MaskedAccess.Read(w, k * p.S.Oc + (Grid.IdxZ * p.GroupOc + column), k < Depth ? p.GroupOc - column : 0, default(TAccess).Fours) };
    }

    public readonly Float4 Rows(SimtFour loaded) => loaded.Values;

    public readonly Float4 Columns(SimtFour loaded) => loaded.Values;

    public readonly void Store(int row, int column, Float4 sums)
    {
        int count = p.GroupOc - column, channel = Grid.IdxZ * p.GroupOc + column;
        if (row >= p.S.B * default(TPixels).Rows(p.S) * default(TPixels).Columns(p.S) || count <= 0)
            return;
        if (p.S.HasBias != 0)
        {
            sums.X += b[channel];
            sums.Y += b[count > 1 ? channel + 1 : channel];
            sums.Z += b[count > 2 ? channel + 2 : channel];
            sums.W += b[count > 3 ? channel + 3 : channel];
        }
        if (p.S.Relu != 0)
        {
            sums.X = sums.X < 0 ? 0 : sums.X;
            sums.Y = sums.Y < 0 ? 0 : sums.Y;
            sums.Z = sums.Z < 0 ? 0 : sums.Z;
            sums.W = sums.W < 0 ? 0 : sums.W;
        }
        MaskedAccess.Write(y, row * p.S.YPitch + channel, count, default(TAccess).Fours, sums);
    }
}
