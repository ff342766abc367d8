using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// dw = Σ x·g over output pixels, g = dy·[y &gt; 0], as a product on tensor cores (<see cref="TensorProduct"/>): rows are taps and in each the input channels, columns output
/// channels, k pixels. Both tiles lie across k, for channels are neighbours in x and in g. With few rows and columns there are few blocks, so the pixels are cut into
/// slices (grid z), each with sums of its own; <see cref="PartialSums"/> adds them in order. 2·B·P·Q·Oc·R·S·Ic FLOPs and 8 bytes a weight and slice.
/// </summary>
internal struct TensorCoreBackwardWeights<TTile, TNumbers> : ITensorProduct
    where TTile : struct, ITensorTile
    where TNumbers : struct, ITensorNumbers
{
    public static readonly SimtKernel<Action<KernelConfig, ArrayView<Chunk>, ArrayView<Chunk>, ArrayView<float>, TensorCoreProblem>> Kernel =
        new($"convolution.backward-weights.{TensorTile<TTile, TNumbers>.Name}", Run, a => a.LoadStreamKernel<ArrayView<Chunk>, ArrayView<Chunk>, ArrayView<float>, TensorCoreProblem>(Run, TensorTile<TTile, TNumbers>.Bounds), TensorTile<TTile, TNumbers>.Bounds, TensorTile<TTile, TNumbers>.DynamicSharedBytes);

    private ArrayView<Chunk> x, gradient;
    private ArrayView<float> partial;
    private TensorCoreProblem p;

    private Pixel pixel, advance;

    /// <summary>Chunk of this thread's rows within their tap (a chunk of rows lies within one tap), and what the tap adds to row and column; beyond the last tap no row lies in the map.</summary>
    private int tapChunk, tapRow, tapColumn;

    /// <summary>First pixel of the next step, and the one behind the slice's last.</summary>
    private int next, end;

    /// <summary>An output pixel, or how far it is from one to another: copies go from pixel to pixel without a division.</summary>
    private struct Pixel
    {
        public int Image, Row, Column;
    }

    public readonly int Steps => (end - next + TensorTile<TTile, TNumbers>.Depth - 1) / TensorTile<TTile, TNumbers>.Depth;

    public readonly bool RowsAcross => true;

    public readonly bool ColumnsAcross => true;

    public readonly bool Pools => false;

    private static void Run(ArrayView<Chunk> x, ArrayView<Chunk> gradient, ArrayView<float> partial, TensorCoreProblem p)
    {
        var shared = default(TTile).Shared();
        int first = Grid.IdxZ * p.SlicePixels, rowChunk = Grid.IdxX * TensorTile<TTile, TNumbers>.RowChunks + Group.IdxX % TensorTile<TTile, TNumbers>.RowChunks, tap = rowChunk / p.InChunks;
        TensorProduct.Run<TensorCoreBackwardWeights<TTile, TNumbers>, TTile, TNumbers>(shared, new TensorCoreBackwardWeights<TTile, TNumbers>
        {
            x = x,
            gradient = gradient,
            partial = partial,
            p = p,
            pixel = Place(p, first + Group.IdxX / TensorTile<TTile, TNumbers>.RowChunks),
            advance = Place(p, Lines),
            tapChunk = rowChunk % p.InChunks,
            tapRow = tap < p.Taps ? tap / p.S.S - p.S.Padding : p.S.H,
            tapColumn = tap % p.S.S - p.S.Padding,
            next = first,
            end = first + p.SlicePixels < p.OutPixels ? first + p.SlicePixels : p.OutPixels,
        });
    }

    /// <summary>Pixels whose x all threads copy at once.</summary>
    private static int Lines => TensorTile<TTile, TNumbers>.Threads / TensorTile<TTile, TNumbers>.RowChunks;

    private static Pixel Place(in TensorCoreProblem p, int pixel) => new() { Image = pixel / (p.S.P * p.S.Q), Row = pixel / p.S.Q % p.S.P, Column = pixel % p.S.Q };

    public void Start(ArrayView<Chunk> shared, int stage)
    {
        int k = Group.IdxX / TensorTile<TTile, TNumbers>.RowChunks;
        StartX(shared, stage, k);
        StartX(shared, stage, k + Lines);
        if (TensorTile<TTile, TNumbers>.Threads < 256)
        {
            StartX(shared, stage, k + 2 * Lines);
            StartX(shared, stage, k + 3 * Lines);
        }
        k = Group.IdxX / TensorTile<TTile, TNumbers>.ColumnChunks;
        StartGradient(shared, stage, k);
        StartGradient(shared, stage, k + TensorTile<TTile, TNumbers>.Depth / 2);
        if (TensorTile<TTile, TNumbers>.Columns > 128)
        {
            StartGradient(shared, stage, k + TensorTile<TTile, TNumbers>.Depth / 4);
            StartGradient(shared, stage, k + TensorTile<TTile, TNumbers>.Depth / 4 * 3);
        }
        next += TensorTile<TTile, TNumbers>.Depth;
    }

    private void StartX(ArrayView<Chunk> shared, int stage, int k)
    {
        int row = pixel.Row * p.S.Stride + tapRow, column = pixel.Column * p.S.Stride + tapColumn;
        bool inside = next + k < end && row >= 0 && row < p.S.H && column >= 0 && column < p.S.W;
        AsyncCopy.Start(
            ref shared[stage + TensorTile<TTile, TNumbers>.RowAcross(k, Group.IdxX % TensorTile<TTile, TNumbers>.RowChunks)],
            ref x[inside ? ((pixel.Image * p.S.H + row) * p.S.W + column) * p.InChunks + tapChunk : 0],
            inside ? 16 : 0);
        pixel.Column += advance.Column;
        bool carry = pixel.Column >= p.S.Q;
        pixel.Column -= carry ? p.S.Q : 0;
        pixel.Row += advance.Row + (carry ? 1 : 0);
        carry = pixel.Row >= p.S.P;
        pixel.Row -= carry ? p.S.P : 0;
        pixel.Image += advance.Image + (carry ? 1 : 0);
    }

    private readonly void StartGradient(ArrayView<Chunk> shared, int stage, int k)
    {
        int pixel = next + k, side = Group.IdxX % TensorTile<TTile, TNumbers>.ColumnChunks, chunk = Grid.IdxY * TensorTile<TTile, TNumbers>.ColumnChunks + side;
        bool inside = pixel < end && chunk < p.OutChunks;
        AsyncCopy.Start(
            ref shared[stage + TensorTile<TTile, TNumbers>.AChunks + TensorTile<TTile, TNumbers>.ColumnAcross(k, side)],
            ref gradient[inside ? pixel * p.OutChunks + chunk : 0],
            inside ? 16 : 0);
    }

    public readonly void Store(int row, int column, float first, float second)
    {
        int rowTap = row / p.InRows, channel = row % p.InRows;
        if (rowTap < p.Taps && channel < p.S.Ic && column < p.S.Oc)
            TensorCorePair.Store(partial, ((Grid.IdxZ * p.Taps + rowTap) * p.S.Ic + channel) * p.S.Oc + column, p.S.Oc, column + 1 < p.S.Oc, first, second);
    }
}
