using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// dw = Σ x·g over output pixels, g = dy·[y &gt; 0], with wgmma (<see cref="WgmmaProduct"/>): rows are taps and in each the input channels, columns output channels, k 64 pixels at a time.
/// Both tiles lie across k, for channels are neighbours in x and in g. The pixels are cut into slices (grid z), each with sums of its own; <see cref="PartialSums"/> adds them in order.
/// 2·B·P·Q·Oc·R·S·Ic FLOPs and 8 bytes a weight and slice; registers and shared memory: <see cref="WgmmaTile"/>.
/// </summary>
internal struct WgmmaBackwardWeights : ITensorProduct
{
    public static readonly SimtKernel<Action<KernelConfig, ArrayView<Chunk>, ArrayView<Chunk>, ArrayView<float>, TensorCoreProblem>> Kernel =
        new($"convolution.backward-weights.{WgmmaTile.Name}", Run, WgmmaTile.SharedBytes, WgmmaTile.Bounds);

    /// <summary>Chunks of all rows, and of all columns, of one k; pixels whose x all threads copy at once.</summary>
    private const int RowChunks = WgmmaTile.Rows / WgmmaTile.PerChunk, ColumnChunks = WgmmaTile.Columns / WgmmaTile.PerChunk, Lines = WgmmaTile.Threads / RowChunks;

    private ArrayView<Chunk> x, gradient;
    private ArrayView<float> partial;
    private TensorCoreProblem p;
    private WgmmaPixel pixel, advance;

    /// <summary>Chunk of this thread's rows within their tap, and what the tap adds to row and column; beyond the last tap no row lies in the map.</summary>
    private int tapChunk, tapRow, tapColumn;

    /// <summary>First pixel of the next step, and the one behind the slice's last.</summary>
    private int next, end;

    public readonly int Steps => (end - next + WgmmaTile.Depth - 1) / WgmmaTile.Depth;

    public readonly bool RowsAcross => true;

    public readonly bool ColumnsAcross => true;

    public readonly bool Pools => false;

    private static void Run(ArrayView<Chunk> x, ArrayView<Chunk> gradient, ArrayView<float> partial, TensorCoreProblem p)
    {
        int first = Grid.IdxZ * p.SlicePixels, rowChunk = Grid.IdxX * RowChunks + Group.IdxX % RowChunks, tap = rowChunk / p.InChunks;
        WgmmaProduct.Run(new WgmmaBackwardWeights
        {
            x = x,
            gradient = gradient,
            partial = partial,
            p = p,
            pixel = Place(p, first + Group.IdxX / RowChunks),
            advance = Place(p, Lines),
            tapChunk = rowChunk % p.InChunks,
            tapRow = tap < p.Taps ? tap / p.S.S - p.S.Padding : p.S.H,
            tapColumn = tap % p.S.S - p.S.Padding,
            next = first,
            end = Math.Min(first + p.SlicePixels, p.OutPixels),
        });
    }

    private static WgmmaPixel Place(in TensorCoreProblem p, int pixel) => new() { Image = pixel / (p.S.P * p.S.Q), Row = pixel / p.S.Q % p.S.P, Column = pixel % p.S.Q };

    public void Start(ArrayView<Chunk> shared, int stage)
    {
        int k = Group.IdxX / RowChunks;
        StartX(shared, stage, k);
        StartX(shared, stage, k + Lines);
        StartX(shared, stage, k + 2 * Lines);
        StartX(shared, stage, k + 3 * Lines);
        StartX(shared, stage, k + 4 * Lines);
        StartX(shared, stage, k + 5 * Lines);
        StartX(shared, stage, k + 6 * Lines);
        StartX(shared, stage, k + 7 * Lines);
        k = Group.IdxX / ColumnChunks;
        StartGradient(shared, stage, k);
        StartGradient(shared, stage, k + 16);
        StartGradient(shared, stage, k + 32);
        StartGradient(shared, stage, k + 48);
        next += WgmmaTile.Depth;
    }

    private void StartX(ArrayView<Chunk> shared, int stage, int k)
    {
        int row = pixel.Row * p.S.Stride + tapRow, column = pixel.Column * p.S.Stride + tapColumn;
        bool inside = next + k < end && row >= 0 && row < p.S.H && column >= 0 && column < p.S.W;
        AsyncCopy.Start(
            ref shared[stage + WgmmaTile.Across(k, Group.IdxX % RowChunks)],
            ref x[inside ? ((pixel.Image * p.S.H + row) * p.S.W + column) * p.InChunks + tapChunk : 0],
            inside ? 16 : 0);
        Advance();
    }

    /// <summary>To the pixel that this thread copies next, without a division.</summary>
    private void Advance()
    {
        int column = pixel.Column + advance.Column, carry = column >= p.S.Q ? 1 : 0;
        pixel.Column = column - carry * p.S.Q;
        int row = pixel.Row + advance.Row + carry;
        carry = row >= p.S.P ? 1 : 0;
        pixel.Row = row - carry * p.S.P;
        pixel.Image += advance.Image + carry;
    }

    private readonly void StartGradient(ArrayView<Chunk> shared, int stage, int k)
    {
        int pixel = next + k, side = Group.IdxX % ColumnChunks, chunk = Grid.IdxY * ColumnChunks + side;
        bool inside = pixel < end && chunk < p.OutChunks;
        AsyncCopy.Start(
            ref shared[stage + WgmmaTile.AChunks + WgmmaTile.Across(k, side)],
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
