using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// dx = convᵀ(g, w), g = dy·[y &gt; 0], with wgmma (<see cref="WgmmaProduct"/>): rows are input pixels, columns input channels, k one tap after the other and in it 64 output channels at a
/// time. A and B lie by k, for in w the output channels are neighbours. A tap that no output reads, because of the stride or the border, comes as zeros. Copies and costs as in
/// <see cref="WgmmaForward{TPixels}"/>; registers and shared memory: <see cref="WgmmaTile"/>.
/// </summary>
internal struct WgmmaBackwardData : ITensorProduct, IWgmmaReader
{
    public static readonly SimtKernel<Action<KernelConfig, ArrayView<Chunk>, ArrayView<Chunk>, ArrayView<float>, TensorCoreProblem>> Kernel =
        new($"convolution.backward-data.{WgmmaTile.Name}", Run, WgmmaTile.SharedBytes, WgmmaTile.Bounds);

    private ArrayView<Chunk> gradient, w;
    private ArrayView<float> dx;
    private TensorCoreProblem p;
    private TensorCoreTaps taps;
    private WgmmaPixels pixels;

    public readonly int Steps => TensorCoreTaps.Steps(p, p.OutChunks, WgmmaTile.DepthChunks);

    public readonly bool RowsAcross => false;

    public readonly bool ColumnsAcross => false;

    public readonly bool Pools => false;

    private static void Run(ArrayView<Chunk> gradient, ArrayView<Chunk> w, ArrayView<float> dx, TensorCoreProblem p)
    {
        var product = new WgmmaBackwardData { gradient = gradient, w = w, dx = dx, p = p };
        product.pixels = WgmmaPixels.Of(product);
        WgmmaProduct.Run(product);
    }

    public readonly WgmmaPixel Place(int row) => new()
    {
        Image = row / (p.S.H * p.S.W) * p.S.P,
        Row = row < p.InPixels ? row / p.S.W % p.S.H + p.S.Padding : -1,
        Column = row % p.S.W + p.S.Padding,
    };

    public readonly int Find(WgmmaPixel pixel, int chunk)
    {
        int row = pixel.Row - taps.R, column = pixel.Column - taps.S;
        chunk += taps.Chunk;
        bool inside = row >= 0 && column >= 0 && row % p.S.Stride == 0 && column % p.S.Stride == 0;
        row /= p.S.Stride;
        column /= p.S.Stride;
        inside = inside && row < p.S.P && column < p.S.Q && chunk < p.OutChunks;
        return inside ? ((pixel.Image + row) * p.S.Q + column) * p.OutChunks + chunk : -1;
    }

    public void Start(ArrayView<Chunk> shared, int stage)
    {
        pixels.Start(this, gradient, shared, stage);
        StartWeights(shared, stage, 0);
        StartWeights(shared, stage, 32);
        StartWeights(shared, stage, 64);
        StartWeights(shared, stage, 96);
        taps.Next(p.S.S, p.OutChunks, WgmmaTile.DepthChunks);
    }

    private readonly void StartWeights(ArrayView<Chunk> shared, int stage, int row)
    {
        row += Group.IdxX / WgmmaTile.DepthChunks;
        int side = Group.IdxX % WgmmaTile.DepthChunks, channel = Grid.IdxY * WgmmaTile.Columns + row, chunk = taps.Chunk + side;
        bool inside = channel < p.S.Ic && chunk < p.OutChunks;
        AsyncCopy.Start(
            ref shared[stage + WgmmaTile.AChunks + WgmmaTile.ByDepth(row, side)],
            ref w[inside ? ((taps.R * p.S.S + taps.S) * p.S.Ic + channel) * p.OutChunks + chunk : 0],
            inside ? 16 : 0);
    }

    public readonly void Store(int row, int column, float first, float second)
    {
        if (row < p.InPixels)
            Bf16Rows.Store(dx, p.S.XBf16, row, column, p.S.Ic, first, second);
    }
}
