using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// dx = convᵀ(g, w), g = dy·[y &gt; 0], with wgmma and TMA (<see cref="TmaProduct"/>), stride 1: rows are input pixels, columns input channels, k 64 output channels after the other and in each the taps.
/// Pixel (h, w) of dx reads (h + padding − r, w + padding − s) of g, so the first row of a box is that of the last tap. In w the output channels are neighbours, so B lies by k. Costs as in
/// <see cref="TmaForward{TPixels}"/>; registers and shared memory: <see cref="TmaTile"/>.
/// </summary>
internal struct TmaBackwardData : ITmaProduct
{
    public static readonly SimtKernel<Action<KernelConfig, ArrayView<TensorMapBytes>, ArrayView<TensorMapBytes>, ArrayView<float>, TensorCoreProblem>> Kernel =
        new($"convolution.backward-data.{TmaTile.Name}", Run, TmaTile.SharedBytes, TmaTile.Bounds, copiesTensors: true);

    private ArrayView<TensorMapBytes> gradient, w;
    private ArrayView<float> dx;
    private TensorCoreProblem p;
    private TmaPlace place;

    public readonly int Blocks => (p.OutChunks + TmaTile.Depth / 8 - 1) / (TmaTile.Depth / 8);

    public readonly int TapRows => p.S.R;

    public readonly int TapColumns => p.S.S;

    public readonly bool ColumnsAcross => false;

    public readonly bool Pools => false;

    private static void Run(ArrayView<TensorMapBytes> gradient, ArrayView<TensorMapBytes> w, ArrayView<float> dx, TensorCoreProblem p)
        => TmaProduct.Run(new TmaBackwardData { gradient = gradient, w = w, dx = dx, p = p, place = TmaPlace.Of(p.S.H, p.S.W) });

    public readonly int Below(int tapRow) => p.S.R - 1 - tapRow;

    public readonly void Acquire()
    {
        TensorCopy.Acquire(ref gradient[0]);
        TensorCopy.Acquire(ref w[0]);
    }

    public readonly void StartRows(uint to, int block, int tapColumn, uint barrier)
        => TensorCopy.Start(to, ref gradient[0], block * TmaTile.Depth, place.Column + p.S.Padding - tapColumn, place.Row + p.S.Padding - (p.S.R - 1), place.Image, barrier);

    public readonly void StartColumns(uint to, int block, int tapRow, int tapColumn, uint barrier)
        => TensorCopy.Start(to, ref w[0], block * TmaTile.Depth, Grid.IdxY * TmaTile.Columns, tapRow * p.S.S + tapColumn, 0, barrier);

    public readonly void Store(int row, int column, float first, float second)
    {
        int line = place.Row + row / TmaTile.Across, pixel = place.Column + row % TmaTile.Across;
        if (line < p.S.H && pixel < p.S.W)
            Bf16Rows.Store(dx, p.S.XBf16, (place.Image * p.S.H + line) * p.S.W + pixel, column, p.S.Ic, first, second);
    }
}
