using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// dw = Σ x·g over output pixels, g = dy·[y &gt; 0], as a product on tensor cores (<see cref="TensorTile"/>): rows are taps and in each the input channels, columns output
/// channels, k pixels. Both tiles lie across k, for channels are neighbours in x and in g. With few rows and columns there are few blocks, so the pixels are cut into
/// slices (grid z), each with sums of its own; a second kernel adds the slices in order. No atomics, so every run gives the same bits.
/// Pipeline as in <see cref="TensorCoreForward"/>; 2·B·P·Q·Oc·R·S·Ic FLOPs and 8 bytes a weight and slice.
/// </summary>
internal static class TensorCoreBackwardWeights
{
    public static readonly SimtKernel<Action<KernelConfig, ArrayView<Chunk>, ArrayView<Chunk>, ArrayView<float>, TensorCoreProblem>> Kernel =
        new("convolution.backward-weights.bf16-128x128x32", Run, a => a.LoadStreamKernel<ArrayView<Chunk>, ArrayView<Chunk>, ArrayView<float>, TensorCoreProblem>(Run));

    public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, TensorCoreProblem>> Sum =
        new("convolution.backward-weights.sum", SumKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, TensorCoreProblem>(SumKernel));

    private static void Run(ArrayView<Chunk> x, ArrayView<Chunk> gradient, ArrayView<float> partial, TensorCoreProblem p)
    {
        var shared = SharedMemory.Allocate<Chunk>(TensorTile.AllChunks);
        int first = Grid.IdxZ * p.SlicePixels, end = first + p.SlicePixels < p.OutPixels ? first + p.SlicePixels : p.OutPixels;
        int steps = (end - first + TensorTile.Depth - 1) / TensorTile.Depth;
        // A chunk of rows lies within one tap.
        int rowChunk = Grid.IdxX * TensorTile.SideChunks + Group.IdxX % 16, tap = rowChunk / p.InChunks;
        Start(shared, x, gradient, p, tap, rowChunk % p.InChunks, first, end, 0);
        Start(shared, x, gradient, p, tap, rowChunk % p.InChunks, first + TensorTile.Depth, end, 1);
        var sums = new Sums64();
        int stage = 0, free = 2;
        for (int step = 0; step < steps; step++)
        {
            AsyncCopy.WaitForAllButOne();
            Group.Barrier();
            Start(shared, x, gradient, p, tap, rowChunk % p.InChunks, first + (step + 2) * TensorTile.Depth, end, free);
            int tile = stage * TensorTile.StageChunks;
            sums = TensorCore.Multiply(sums, TensorTile.RowsAcross(shared, tile, 0), TensorTile.ColumnsAcross(shared, tile + TensorTile.TileChunks, 0));
            sums = TensorCore.Multiply(sums, TensorTile.RowsAcross(shared, tile, 1), TensorTile.ColumnsAcross(shared, tile + TensorTile.TileChunks, 1));
            stage = stage == TensorTile.Stages - 1 ? 0 : stage + 1;
            free = free == TensorTile.Stages - 1 ? 0 : free + 1;
        }
        int row = Grid.IdxX * TensorTile.Rows + TensorTile.ThreadRow, column = Grid.IdxY * TensorTile.Columns + TensorTile.ThreadColumn;
        Finish(partial, p, row, column, sums.M0);
        Finish(partial, p, row + 16, column, sums.M1);
        Finish(partial, p, row + 32, column, sums.M2);
        Finish(partial, p, row + 48, column, sums.M3);
    }

    private static void Start(ArrayView<Chunk> shared, ArrayView<Chunk> x, ArrayView<Chunk> gradient, TensorCoreProblem p, int tap, int chunk, int pixel, int end, int stage)
    {
        if (pixel < end)
        {
            int tile = stage * TensorTile.StageChunks, k = Group.IdxX / 16;
            StartPixel(shared, x, gradient, p, tap, chunk, pixel + k, end, tile, k);
            StartPixel(shared, x, gradient, p, tap, chunk, pixel + k + 16, end, tile, k + 16);
        }
        AsyncCopy.Commit();
    }

    private static void StartPixel(ArrayView<Chunk> shared, ArrayView<Chunk> x, ArrayView<Chunk> gradient, TensorCoreProblem p, int tap, int chunk, int pixel, int end, int tile, int k)
    {
        int side = Group.IdxX % 16, column = Grid.IdxY * TensorTile.SideChunks + side;
        int line = pixel / p.S.Q, h = line % p.S.P * p.S.Stride + tap / p.S.S - p.S.Padding, w = pixel % p.S.Q * p.S.Stride + tap % p.S.S - p.S.Padding;
        bool inside = pixel < end && tap < p.Taps && h >= 0 && h < p.S.H && w >= 0 && w < p.S.W;
        AsyncCopy.Start(ref shared[tile + TensorTile.Across(k, side)], ref x[inside ? ((line / p.S.P * p.S.H + h) * p.S.W + w) * p.InChunks + chunk : 0], inside ? 16 : 0);
        inside = pixel < end && column < p.OutChunks;
        AsyncCopy.Start(ref shared[tile + TensorTile.TileChunks + TensorTile.Across(k, side)], ref gradient[inside ? pixel * p.OutChunks + column : 0], inside ? 16 : 0);
    }

    private static void Finish(ArrayView<float> partial, TensorCoreProblem p, int row, int column, Sums16 s)
    {
        StorePair(partial, p, row, column, s.A0, s.A1);
        StorePair(partial, p, row + 8, column, s.A2, s.A3);
        StorePair(partial, p, row, column + 8, s.B0, s.B1);
        StorePair(partial, p, row + 8, column + 8, s.B2, s.B3);
        StorePair(partial, p, row, column + 16, s.C0, s.C1);
        StorePair(partial, p, row + 8, column + 16, s.C2, s.C3);
        StorePair(partial, p, row, column + 24, s.D0, s.D1);
        StorePair(partial, p, row + 8, column + 24, s.D2, s.D3);
    }

    private static void StorePair(ArrayView<float> partial, TensorCoreProblem p, int row, int column, float first, float second)
    {
        int tap = row / p.InRows, channel = row % p.InRows;
        if (tap < p.Taps && channel < p.S.Ic && column < p.S.Oc)
            TensorCorePair.Store(partial, ((Grid.IdxZ * p.Taps + tap) * p.S.Ic + channel) * p.S.Oc + column, p.S.Oc, column + 1 < p.S.Oc, first, second);
    }

    private static void SumKernel(ArrayView<float> partial, ArrayView<float> dw, TensorCoreProblem p)
    {
        int index = Grid.IdxX * TensorTile.Threads + Group.IdxX;
        if (index >= p.S.WLength)
            return;
        float sum = 0;
        for (int slice = 0; slice < p.Slices; slice++)
            sum += partial[slice * p.S.WLength + index];
        dw[index] = sum;
    }
}
