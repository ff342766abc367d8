using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// y = act(conv(x, w) + b) as a product on tensor cores (<see cref="TensorProduct"/>): rows are output pixels, columns output channels, k one tap after the other and
/// in it four chunks of input channels at a time. A thread copies a chunk of x for each of its two or four pixels and two of w a step; what lies in the padding or beyond a tail comes
/// as zeros. With pooling the rows are the pixels of windows, and what lies in none is not computed; bias and ReLU come after the maximum, which they keep. Inputs in bf16 or tf32, sums, bias and ReLU in fp32; 2·B·P·Q·Oc·R·S·Ic FLOPs.
/// </summary>
internal struct TensorCoreForward<TTile, TNumbers, TPixels> : ITensorProduct
    where TTile : struct, ITensorTile
    where TNumbers : struct, ITensorNumbers
    where TPixels : struct, ITensorPixels
{
    public static readonly SimtKernel<Action<KernelConfig, ArrayView<Chunk>, ArrayView<Chunk>, ArrayView<float>, ArrayView<float>, TensorCoreProblem>> Kernel =
        new($"convolution.{default(TPixels).Operation}.{TensorTile<TTile, TNumbers>.Name}", Run, a => a.LoadStreamKernel<ArrayView<Chunk>, ArrayView<Chunk>, ArrayView<float>, ArrayView<float>, TensorCoreProblem>(Run, TensorTile<TTile, TNumbers>.Bounds), TensorTile<TTile, TNumbers>.Bounds, TensorTile<TTile, TNumbers>.DynamicSharedBytes);

    private ArrayView<Chunk> x, w;
    private ArrayView<float> b, y;
    private TensorCoreProblem p;
    private TensorCoreTaps taps;
    private TensorCorePixel pixel0, pixel1, pixel2, pixel3;

    public readonly int Steps => TensorCoreTaps.Steps(p, p.InChunks);

    public readonly bool RowsAcross => false;

    public readonly bool ColumnsAcross => true;

    public readonly bool Pools => default(TPixels).Pools;

    private static void Run(ArrayView<Chunk> x, ArrayView<Chunk> w, ArrayView<float> b, ArrayView<float> y, TensorCoreProblem p)
    {
        var shared = default(TTile).Shared();
        int row = Grid.IdxX * TensorTile<TTile, TNumbers>.Rows + Group.IdxX / 4;
        TensorProduct.Run<TensorCoreForward<TTile, TNumbers, TPixels>, TTile, TNumbers>(shared, new TensorCoreForward<TTile, TNumbers, TPixels>
        {
            x = x,
            w = w,
            b = b,
            y = y,
            p = p,
            pixel0 = TensorCorePixel.Place<TPixels>(p.S, row),
            pixel1 = TensorCorePixel.Place<TPixels>(p.S, row + TensorTile<TTile, TNumbers>.Threads / 4),
            pixel2 = TensorCorePixel.Place<TPixels>(p.S, row + 64),
            pixel3 = TensorCorePixel.Place<TPixels>(p.S, row + 96),
        });
    }

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
        int k = Group.IdxX / TensorTile<TTile, TNumbers>.ColumnChunks;
        StartWeights(shared, stage, k);
        StartWeights(shared, stage, k + TensorTile<TTile, TNumbers>.Depth / 2);
        if (TensorTile<TTile, TNumbers>.Columns > 128)
        {
            StartWeights(shared, stage, k + TensorTile<TTile, TNumbers>.Depth / 4);
            StartWeights(shared, stage, k + TensorTile<TTile, TNumbers>.Depth / 4 * 3);
        }
        taps.Next(p.S.S, p.InChunks);
    }

    private readonly void StartPixel(ArrayView<Chunk> shared, int to, TensorCorePixel at, int chunk)
    {
        int row = at.Row + taps.R, column = at.Column + taps.S;
        chunk += taps.Chunk;
        bool inside = row >= 0 && row < p.S.H && column >= 0 && column < p.S.W && chunk < p.InChunks;
        AsyncCopy.Start(ref shared[to], ref x[inside ? ((at.Image + row) * p.S.W + column) * p.InChunks + chunk : 0], inside ? 16 : 0);
    }

    private readonly void StartWeights(ArrayView<Chunk> shared, int stage, int k)
    {
        int column = Group.IdxX % TensorTile<TTile, TNumbers>.ColumnChunks, chunk = Grid.IdxY * TensorTile<TTile, TNumbers>.ColumnChunks + column;
        int channel = taps.Chunk * default(TNumbers).PerChunk + k;
        bool inside = channel < p.S.Ic && chunk < p.OutChunks;
        AsyncCopy.Start(
            ref shared[stage + TensorTile<TTile, TNumbers>.AChunks + TensorTile<TTile, TNumbers>.ColumnAcross(k, column)],
            ref w[inside ? ((taps.R * p.S.S + taps.S) * p.S.Ic + channel) * p.OutChunks + chunk : 0],
            inside ? 16 : 0);
    }

    public readonly void Store(int row, int column, float first, float second) => ForwardEnd.Store<TPixels>(b, y, p.S, row, column, first, second);
}
