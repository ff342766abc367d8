using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// y = act(conv(x, w) + b) on tensor cores for few input channels, such as an image's three: k runs over all taps and channels as they stand in w, 27 numbers of a 3×3 filled up to 32, where
/// <see cref="TensorCoreForward{TTile, TNumbers, TPixels}"/> fills up every tap to 32 and so computes eleven times as much. No chunk of x holds such neighbours, so there is nothing that cp.async
/// could copy: a thread gathers the eight (tf32: four) numbers of each of its four chunks from x, which neighbouring pixels find in the first-level cache, rounds and writes them to shared memory. That saves
/// the pass that fills up x, too. x is fp32 (4 bytes a number) or an image's 8-bit pixels (1 byte), which are normalised before they are rounded: the image in fp32, 16 bytes a pixel of writing and reading more than its
/// three, is never made. Rows, tile and end as there; 2·B·P·Q·Oc·R·S·Ic FLOPs, x once and what y takes.
/// </summary>
internal struct TensorCoreTapsForward<TNumbers, TPixels, TSource> : ITensorProduct
    where TNumbers : struct, ITensorNumbers
    where TPixels : struct, ITensorPixels
    where TSource : struct, ITapSource
{
    public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<Chunk>, ArrayView<float>, ArrayView<float>, TensorCoreProblem, PixelNumbers>> Kernel =
        new($"convolution.{default(TPixels).Operation}{default(TSource).Suffix}.{Name}", Run, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<Chunk>, ArrayView<float>, ArrayView<float>, TensorCoreProblem, PixelNumbers>(Run, TensorTile<NarrowTile, TNumbers>.Bounds), TensorTile<NarrowTile, TNumbers>.Bounds);

    private ArrayView<float> x, b, y;
    private ArrayView<Chunk> w;
    private TensorCoreProblem p;
    private PixelNumbers numbers;

    /// <summary>Whose images are the indices of their first numbers.</summary>
    private TensorCorePixel pixel0, pixel1, pixel2, pixel3;

    /// <summary>First k of the next step.</summary>
    private int next;

    public static string Name => TensorTile<NarrowTile, TNumbers>.Name.Replace("-", "-taps-", StringComparison.Ordinal);

    private readonly int Length => p.Taps * p.S.Ic;

    public readonly int Steps => (Length + TensorTile<NarrowTile, TNumbers>.Depth - 1) / TensorTile<NarrowTile, TNumbers>.Depth;

    public readonly bool RowsAcross => false;

    public readonly bool ColumnsAcross => true;

    public readonly bool Pools => default(TPixels).Pools;

    private static void Run(ArrayView<float> x, ArrayView<Chunk> w, ArrayView<float> b, ArrayView<float> y, TensorCoreProblem p, PixelNumbers numbers)
    {
        var shared = default(NarrowTile).Shared();
        int row = Grid.IdxX * TensorTile<NarrowTile, TNumbers>.Rows + Group.IdxX / 4;
        TensorProduct.Run<TensorCoreTapsForward<TNumbers, TPixels, TSource>, NarrowTile, TNumbers>(shared, new TensorCoreTapsForward<TNumbers, TPixels, TSource>
        {
            x = x,
            w = w,
            b = b,
            y = y,
            p = p,
            numbers = numbers,
            pixel0 = Place(p.S, row),
            pixel1 = Place(p.S, row + 32),
            pixel2 = Place(p.S, row + 64),
            pixel3 = Place(p.S, row + 96),
        });
    }

    private static TensorCorePixel Place(in ConvolutionShape s, int row)
    {
        var at = TensorCorePixel.Place<TPixels>(s, row);
        at.Image = at.Image / s.H * default(TSource).Image(s);
        return at;
    }

    public void Start(ArrayView<Chunk> shared, int stage)
    {
        int row = Group.IdxX / 4, chunk = Group.IdxX % 4, first = next + chunk * default(TNumbers).PerChunk, r = first / (p.S.S * p.S.Ic), inRow = first - r * (p.S.S * p.S.Ic);
        var channels = default(TSource).From(numbers, first);
        StartPixel(shared, stage, row, chunk, pixel0, r, inRow, channels);
        StartPixel(shared, stage, row + 32, chunk, pixel1, r, inRow, channels);
        StartPixel(shared, stage, row + 64, chunk, pixel2, r, inRow, channels);
        StartPixel(shared, stage, row + 96, chunk, pixel3, r, inRow, channels);
        int k = Group.IdxX / TensorTile<NarrowTile, TNumbers>.ColumnChunks;
        StartWeights(shared, stage, k);
        StartWeights(shared, stage, k + TensorTile<NarrowTile, TNumbers>.Depth / 2);
        next += TensorTile<NarrowTile, TNumbers>.Depth;
    }

    private readonly void StartPixel(ArrayView<Chunk> shared, int stage, int row, int chunk, TensorCorePixel at, int r, int inRow, PixelNumbers channels)
        => shared[stage + TensorTile<NarrowTile, TNumbers>.ByDepth(row, chunk)] =
            default(TNumbers).Pack(TapRow<TSource>.At(x, p.S, at.Image, at.Row, at.Column, r, inRow, channels));

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
