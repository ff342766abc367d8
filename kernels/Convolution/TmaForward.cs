using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// y = act(conv(x, w) + b) with wgmma and TMA (<see cref="TmaProduct"/>), stride 1: rows are output pixels, columns output channels, k 64 input channels after the other and in each the taps. x is the tensor
/// [B][H][W][channels], of which a box for each column of the kernel begins in the padding where the tile lies at an edge; w is [taps][Ic][Oc], its columns neighbours. What lies beside comes as
/// zeros. Inputs in bf16, sums, bias and ReLU in fp32; 2·B·P·Q·Oc·R·S·Ic FLOPs; with pooling 2×2 maxima are written. Registers and shared memory: <see cref="TmaTile"/>.
/// </summary>
internal struct TmaForward<TPixels> : ITmaProduct
    where TPixels : struct, ITensorPixels
{
    public static readonly SimtKernel<Action<KernelConfig, ArrayView<TensorMapBytes>, ArrayView<TensorMapBytes>, ArrayView<float>, ArrayView<float>, TensorCoreProblem>> Kernel =
        new($"convolution.{default(TPixels).Operation}.{TmaTile.Name}", Run, TmaTile.SharedBytes, TmaTile.Bounds, copiesTensors: true);

    private ArrayView<TensorMapBytes> x, w;
    private ArrayView<float> b, y;
    private TensorCoreProblem p;
    private TmaPlace place;

    public readonly int Blocks => (p.InChunks + TmaTile.Depth / 8 - 1) / (TmaTile.Depth / 8);

    public readonly int TapRows => p.S.R;

    public readonly int TapColumns => p.S.S;

    public readonly bool ColumnsAcross => true;

    public readonly bool Pools => default(TPixels).Pools;

    private static void Run(ArrayView<TensorMapBytes> x, ArrayView<TensorMapBytes> w, ArrayView<float> b, ArrayView<float> y, TensorCoreProblem p)
        => TmaProduct.Run(new TmaForward<TPixels> { x = x, w = w, b = b, y = y, p = p, place = TmaPlace.Of(Scale * default(TPixels).Rows(p.S), Scale * default(TPixels).Columns(p.S)) });

    /// <summary>Pixels of the convolution for one that is written, along rows and columns.</summary>
    public static int Scale => default(TPixels).Pools ? 2 : 1;

    public readonly int Below(int tapRow) => tapRow;

    public readonly void Acquire()
    {
        TensorCopy.Acquire(ref x[0]);
        TensorCopy.Acquire(ref w[0]);
    }

    public readonly void StartRows(uint to, int block, int tapColumn, uint barrier)
        => TensorCopy.Start(to, ref x[0], block * TmaTile.Depth, place.Column + tapColumn - p.S.Padding, place.Row - p.S.Padding, place.Image, barrier);

    public readonly void StartColumns(uint to, int block, int tapRow, int tapColumn, uint barrier)
    {
        int column = Grid.IdxY * TmaTile.Columns, channel = block * TmaTile.Depth, tap = tapRow * p.S.S + tapColumn;
        TensorCopy.Start(to, ref w[0], column, channel, tap, 0, barrier);
        TensorCopy.Start(to + TmaTile.ColumnsBytes / 2, ref w[0], column + TmaTile.Columns / 2, channel, tap, 0, barrier);
    }

    public readonly void Store(int row, int column, float first, float second)
    {
        int line = (place.Row + row / TmaTile.Across) / Scale, pixel = (place.Column + row % TmaTile.Across) / Scale;
        int rows = default(TPixels).Rows(p.S), columns = default(TPixels).Columns(p.S);
        if (line < rows && pixel < columns)
            ForwardEnd.Store<TPixels>(b, y, p.S, (place.Image * rows + line) * columns + pixel, column, first, second);
    }
}
