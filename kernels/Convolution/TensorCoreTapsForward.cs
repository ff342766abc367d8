using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// y = act(conv(x, w) + b) on tensor cores for few input channels, such as an image's three: k runs over all taps and channels as they stand in w, 27 numbers of a 3×3 filled up to 32, where
/// <see cref="TensorCoreForward{TTile, TNumbers, TPixels}"/> fills up every tap to 32 and so computes eleven times as much. No chunk of x holds such neighbours, so there is nothing that cp.async
/// could copy: a thread gathers the eight (tf32: four) numbers of each of its four chunks from x in fp32, which neighbouring pixels find in the first-level cache, rounds and writes them to shared memory. That saves
/// the pass that fills up x, too. Rows, tile and end as there; 2·B·P·Q·Oc·R·S·Ic FLOPs, 4 bytes a number of x and what y takes.
/// </summary>
internal struct TensorCoreTapsForward<TNumbers, TPixels> : ITensorProduct
    where TNumbers : struct, ITensorNumbers
    where TPixels : struct, ITensorPixels
{
    public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<Chunk>, ArrayView<float>, ArrayView<float>, TensorCoreProblem>> Kernel =
        new($"convolution.{default(TPixels).Operation}.{Name}", Run, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<Chunk>, ArrayView<float>, ArrayView<float>, TensorCoreProblem>(Run, TensorTile<NarrowTile, TNumbers>.Bounds), TensorTile<NarrowTile, TNumbers>.Bounds);

    private ArrayView<float> x, b, y;
    private ArrayView<Chunk> w;
    private TensorCoreProblem p;
    private TensorCorePixel pixel0, pixel1, pixel2, pixel3;

    /// <summary>First k of the next step.</summary>
    private int next;

    public static string Name => TensorTile<NarrowTile, TNumbers>.Name.Replace("-", "-taps-", StringComparison.Ordinal);

    private readonly int Length => p.Taps * p.S.Ic;

    public readonly int Steps => (Length + TensorTile<NarrowTile, TNumbers>.Depth - 1) / TensorTile<NarrowTile, TNumbers>.Depth;

    public readonly bool RowsAcross => false;

    public readonly bool ColumnsAcross => true;

    public readonly bool Pools => default(TPixels).Pools;

    private static void Run(ArrayView<float> x, ArrayView<Chunk> w, ArrayView<float> b, ArrayView<float> y, TensorCoreProblem p)
    {
        var shared = default(NarrowTile).Shared();
        int row = Grid.IdxX * TensorTile<NarrowTile, TNumbers>.Rows + Group.IdxX / 4;
        TensorProduct.Run<TensorCoreTapsForward<TNumbers, TPixels>, NarrowTile, TNumbers>(shared, new TensorCoreTapsForward<TNumbers, TPixels>
        {
            x = x,
            w = w,
            b = b,
            y = y,
            p = p,
            pixel0 = TensorCorePixel.Place<TPixels>(p.S, row),
            pixel1 = TensorCorePixel.Place<TPixels>(p.S, row + 32),
            pixel2 = TensorCorePixel.Place<TPixels>(p.S, row + 64),
            pixel3 = TensorCorePixel.Place<TPixels>(p.S, row + 96),
        });
    }

    public void Start(ArrayView<Chunk> shared, int stage)
    {
        int row = Group.IdxX / 4, chunk = Group.IdxX % 4;
        StartPixel(shared, stage, row, chunk, pixel0);
        StartPixel(shared, stage, row + 32, chunk, pixel1);
        StartPixel(shared, stage, row + 64, chunk, pixel2);
        StartPixel(shared, stage, row + 96, chunk, pixel3);
        int k = Group.IdxX / TensorTile<NarrowTile, TNumbers>.ColumnChunks;
        StartWeights(shared, stage, k);
        StartWeights(shared, stage, k + TensorTile<NarrowTile, TNumbers>.Depth / 2);
        next += TensorTile<NarrowTile, TNumbers>.Depth;
    }

    private readonly void StartPixel(ArrayView<Chunk> shared, int stage, int row, int chunk, TensorCorePixel at)
        => shared[stage + TensorTile<NarrowTile, TNumbers>.ByDepth(row, chunk)] =
            default(TNumbers).Pack(TapRow.At(x, p.S, at.Image, at.Row, at.Column, next + chunk * default(TNumbers).PerChunk));

    private readonly void StartWeights(ArrayView<Chunk> shared, int stage, int k)
    {
        int column = Group.IdxX % TensorTile<NarrowTile, TNumbers>.ColumnChunks, chunk = Grid.IdxY * TensorTile<NarrowTile, TNumbers>.ColumnChunks + column;
        bool inside = next + k < Length && chunk < p.OutChunks;
        AsyncCopy.Start(
            ref shared[stage + TensorTile<NarrowTile, TNumbers>.AChunks + TensorTile<NarrowTile, TNumbers>.ColumnAcross(k, column)],
            ref w[inside ? (next + k) * p.OutChunks + chunk : 0],
            inside ? 16 : 0);
    }

    public readonly void Store(int row, int column, float first, float second) => ForwardEnd.Store<TPixels>(b, y, p.S, row, column, first, second);
}
