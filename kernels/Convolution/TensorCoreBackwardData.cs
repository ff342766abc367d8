using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// dx = convᵀ(g, w), g = dy·[y &gt; 0], as a product on tensor cores (<see cref="TensorProduct"/>): rows are input pixels, columns input channels, k one tap after the other and in
/// it four chunks of output channels at a time. Both tiles lie by k, for in w the output channels are neighbours. A tap that no output reads, because of the stride or the
/// border, comes as zeros. Copies and costs as in <see cref="TensorCoreForward{TTile, TNumbers, TPixels}"/>.
/// </summary>
internal struct TensorCoreBackwardData<TTile, TNumbers> : ITensorProduct
    where TTile : struct, ITensorTile
    where TNumbers : struct, ITensorNumbers
{
    public static readonly SimtKernel<Action<KernelConfig, ArrayView<Chunk>, ArrayView<Chunk>, ArrayView<float>, TensorCoreProblem>> Kernel =
        new($"convolution.backward-data.{TensorTile<TTile, TNumbers>.Name}", Run, a => a.LoadStreamKernel<ArrayView<Chunk>, ArrayView<Chunk>, ArrayView<float>, TensorCoreProblem>(Run, TensorTile<TTile, TNumbers>.Bounds), TensorTile<TTile, TNumbers>.Bounds, TensorTile<TTile, TNumbers>.DynamicSharedBytes);

    private ArrayView<Chunk> gradient, w;
    private ArrayView<float> dx;
    private TensorCoreProblem p;
    private TensorCoreTaps taps;
    private Pixel pixel0, pixel1, pixel2, pixel3;

    /// <summary>Image·P, and row and column with the padding. A pixel beyond the last has a row that no tap brings into the map.</summary>
    private struct Pixel
    {
        public int Image, Row, Column;
    }

    public readonly int Steps => TensorCoreTaps.Steps(p, p.OutChunks);

    public readonly bool RowsAcross => false;

    public readonly bool ColumnsAcross => false;

    public readonly bool Pools => false;

    private static void Run(ArrayView<Chunk> gradient, ArrayView<Chunk> w, ArrayView<float> dx, TensorCoreProblem p)
    {
        var shared = default(TTile).Shared();
        int row = Grid.IdxX * TensorTile<TTile, TNumbers>.Rows + Group.IdxX / 4;
        TensorProduct.Run<TensorCoreBackwardData<TTile, TNumbers>, TTile, TNumbers>(shared, new TensorCoreBackwardData<TTile, TNumbers>
        {
            gradient = gradient,
            w = w,
            dx = dx,
            p = p,
            pixel0 = Place(p, row),
            pixel1 = Place(p, row + TensorTile<TTile, TNumbers>.Threads / 4),
            pixel2 = Place(p, row + 64),
            pixel3 = Place(p, row + 96),
        });
    }

    private static Pixel Place(in TensorCoreProblem p, int pixel) => new()
    {
        Image = pixel / (p.S.H * p.S.W) * p.S.P,
        Row = pixel < p.InPixels ? pixel / p.S.W % p.S.H + p.S.Padding : -1,
        Column = pixel % p.S.W + p.S.Padding,
    };

    public void Start(ArrayView<Chunk> shared, int stage)
    {
        int row = Group.IdxX / 4, chunk = Group.IdxX % 4;
        StartPixel(shared, stage + TensorTile<TTile, TNumbers>.ByDepth(row, chunk), pixel0, chunk);
        StartPixel(shared, stage + TensorTile<TTile, TNumbers>.ByDepth(row + TensorTile<TTile, TNumbers>.Threads / 4, chunk), pixel1, chunk);
        if (TensorTile<TTile, TNumbers>.Threads < 256)
        {
            StartPixel(shared, stage + TensorTile<TTile, TNumbers>.ByDepth(row + 64, chunk), pixel2, chunk);
            StartPixel(shared, stage + TensorTile<TTile, TNumbers>.ByDepth(row + 96, chunk), pixel3, chunk);
        }
        StartWeights(shared, stage, row, chunk);
        StartWeights(shared, stage, row + TensorTile<TTile, TNumbers>.Threads / 4, chunk);
        if (TensorTile<TTile, TNumbers>.Columns > 128)
        {
            StartWeights(shared, stage, row + 128, chunk);
            StartWeights(shared, stage, row + 192, chunk);
        }
        taps.Next(p.S.S, p.OutChunks);
    }

    private readonly void StartPixel(ArrayView<Chunk> shared, int to, Pixel at, int chunk)
    {
        int row = at.Row - taps.R, column = at.Column - taps.S;
        chunk += taps.Chunk;
        bool inside = row >= 0 && column >= 0 && row % p.S.Stride == 0 && column % p.S.Stride == 0;
        row /= p.S.Stride;
        column /= p.S.Stride;
        inside = inside && row < p.S.P && column < p.S.Q && chunk < p.OutChunks;
        AsyncCopy.Start(ref shared[to], ref gradient[inside ? ((at.Image + row) * p.S.Q + column) * p.OutChunks + chunk : 0], inside ? 16 : 0);
    }

    private readonly void StartWeights(ArrayView<Chunk> shared, int stage, int row, int chunk)
    {
        int channel = Grid.IdxY * TensorTile<TTile, TNumbers>.Columns + row, from = taps.Chunk + chunk;
        bool inside = channel < p.S.Ic && from < p.OutChunks;
        AsyncCopy.Start(
            ref shared[stage + TensorTile<TTile, TNumbers>.AChunks + TensorTile<TTile, TNumbers>.ByDepth(row, chunk)],
            ref w[inside ? ((taps.R * p.S.S + taps.S) * p.S.Ic + channel) * p.OutChunks + from : 0],
            inside ? 16 : 0);
    }

    public readonly void Store(int row, int column, float first, float second)
    {
        if (row < p.InPixels)
            Bf16Rows.Store(dx, p.S.XBf16, row, column, p.S.Ic, first, second);
    }
}
