using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// y = act(conv(x, w) + b) with wgmma (<see cref="WgmmaProduct"/>): rows are output pixels, columns output channels, k one tap after the other and in it 64 input channels at a time. A lies
/// by k, for the channels of a pixel are neighbours, B across k, for in w the output channels are. A thread copies eight chunks of x and four of w a step; what lies in the padding or beyond
/// a tail comes as zeros. With pooling the rows are the pixels of windows, as in <see cref="TensorCoreForward{TTile, TNumbers, TPixels}"/>. Inputs in bf16, sums, bias and ReLU in fp32; 2·B·P·Q·Oc·R·S·Ic FLOPs. Registers and shared memory: <see cref="WgmmaTile"/>.
/// </summary>
internal struct WgmmaForward<TPixels> : ITensorProduct, IWgmmaReader
    where TPixels : struct, ITensorPixels
{
    public static readonly SimtKernel<Action<KernelConfig, ArrayView<Chunk>, ArrayView<Chunk>, ArrayView<float>, ArrayView<float>, TensorCoreProblem>> Kernel =
        new($"convolution.{default(TPixels).Operation}.{WgmmaTile.Name}", Run, WgmmaTile.SharedBytes, WgmmaTile.Bounds);

    private ArrayView<Chunk> x, w;
    private ArrayView<float> b, y;
    private TensorCoreProblem p;
    private TensorCoreTaps taps;
    private WgmmaPixels pixels;

    public readonly int Steps => TensorCoreTaps.Steps(p, p.InChunks, WgmmaTile.DepthChunks);

    public readonly bool RowsAcross => false;

    public readonly bool ColumnsAcross => true;

    public readonly bool Pools => default(TPixels).Pools;

    private static void Run(ArrayView<Chunk> x, ArrayView<Chunk> w, ArrayView<float> b, ArrayView<float> y, TensorCoreProblem p)
    {
        var product = new WgmmaForward<TPixels> { x = x, w = w, b = b, y = y, p = p };
        product.pixels = WgmmaPixels.Of(product);
        WgmmaProduct.Run(product);
    }

    public readonly WgmmaPixel Place(int row)
    {
        int pixel = default(TPixels).Pools ? WgmmaTile.Window(row) : row, rows = default(TPixels).Rows(p.S), columns = default(TPixels).Columns(p.S);
        int line = pixel / columns % rows, column = pixel % columns;
        if (default(TPixels).Pools)
        {
            line = 2 * line + row / 64 % 2;
            column = 2 * column + row / 8 % 2;
        }
        return new()
        {
            Image = pixel / (rows * columns) * p.S.H,
            Row = pixel < p.S.B * rows * columns ? line * p.S.Stride - p.S.Padding : p.S.H,
            Column = column * p.S.Stride - p.S.Padding,
        };
    }

    public readonly int Find(WgmmaPixel pixel, int chunk)
    {
        int row = pixel.Row + taps.R, column = pixel.Column + taps.S;
        chunk += taps.Chunk;
        bool inside = row >= 0 && row < p.S.H && column >= 0 && column < p.S.W && chunk < p.InChunks;
        return inside ? ((pixel.Image + row) * p.S.W + column) * p.InChunks + chunk : -1;
    }

    public void Start(ArrayView<Chunk> shared, int stage)
    {
        pixels.Start(this, x, shared, stage);
        StartWeights(shared, stage, 0);
        StartWeights(shared, stage, 16);
        StartWeights(shared, stage, 32);
        StartWeights(shared, stage, 48);
        taps.Next(p.S.S, p.InChunks, WgmmaTile.DepthChunks);
    }

    private readonly void StartWeights(ArrayView<Chunk> shared, int stage, int k)
    {
        int side = Group.IdxX % 16, chunk = Grid.IdxY * 16 + side;
        k += Group.IdxX / 16;
        int channel = taps.Chunk * WgmmaTile.PerChunk + k;
        bool inside = channel < p.S.Ic && chunk < p.OutChunks;
        AsyncCopy.Start(
            ref shared[stage + WgmmaTile.AChunks + WgmmaTile.Across(k, side)],
            ref w[inside ? ((taps.R * p.S.S + taps.S) * p.S.Ic + channel) * p.OutChunks + chunk : 0],
            inside ? 16 : 0);
    }

    public readonly void Store(int row, int column, float first, float second) => ForwardEnd.Store<TPixels>(b, y, p.S, row, column, first, second);
}
