using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// dx = convᵀ(g, w), g = dy·[y &gt; 0], as a product on tensor cores (<see cref="TensorTile"/>): rows are input pixels, columns input channels, k one tap after the other and in
/// it 32 output channels at a time. Both tiles lie by k, for in w the output channels are neighbours. A tap that no output reads, because of the stride or the
/// border, comes as zeros. Pipeline and costs as in <see cref="TensorCoreForward"/>.
/// </summary>
internal static class TensorCoreBackwardData
{
    public static readonly SimtKernel<Action<KernelConfig, ArrayView<Chunk>, ArrayView<Chunk>, ArrayView<float>, TensorCoreProblem>> Kernel =
        new("convolution.backward-data.bf16-128x128x32", Run, a => a.LoadStreamKernel<ArrayView<Chunk>, ArrayView<Chunk>, ArrayView<float>, TensorCoreProblem>(Run));

    /// <summary>What a thread copies next, and into which stage.</summary>
    private struct Copies
    {
        /// <summary>Of the two pixels: image·P, and row and column with the padding. A pixel beyond the last has a row that no tap brings into the map.</summary>
        public int Image0, Row0, Column0, Image1, Row1, Column1;

        public int R, S, Chunk, Stage;
    }

    private static void Run(ArrayView<Chunk> gradient, ArrayView<Chunk> w, ArrayView<float> dx, TensorCoreProblem p)
    {
        var shared = SharedMemory.Allocate<Chunk>(TensorTile.AllChunks);
        var copies = new Copies();
        int row = Grid.IdxX * TensorTile.Rows + Group.IdxX / 4;
        Place(p, row, out copies.Image0, out copies.Row0, out copies.Column0);
        Place(p, row + 64, out copies.Image1, out copies.Row1, out copies.Column1);
        int steps = p.Taps * ((p.OutChunks + TensorTile.DepthChunks - 1) / TensorTile.DepthChunks);
        copies = Start(shared, gradient, w, p, copies, steps > 0);
        copies = Start(shared, gradient, w, p, copies, steps > 1);
        var sums = new Sums64();
        int stage = 0;
        for (int step = 0; step < steps; step++)
        {
            AsyncCopy.WaitForAllButOne();
            Group.Barrier();
            copies = Start(shared, gradient, w, p, copies, step + 2 < steps);
            int tile = stage * TensorTile.StageChunks;
            sums = TensorCore.Multiply(sums, TensorTile.RowsByDepth(shared, tile, 0), TensorTile.ColumnsByDepth(shared, tile + TensorTile.TileChunks, 0));
            sums = TensorCore.Multiply(sums, TensorTile.RowsByDepth(shared, tile, 1), TensorTile.ColumnsByDepth(shared, tile + TensorTile.TileChunks, 1));
            stage = stage == TensorTile.Stages - 1 ? 0 : stage + 1;
        }
        int first = Grid.IdxX * TensorTile.Rows + TensorTile.ThreadRow, column = Grid.IdxY * TensorTile.Columns + TensorTile.ThreadColumn;
        Finish(dx, p, first, column, sums.M0);
        Finish(dx, p, first + 16, column, sums.M1);
        Finish(dx, p, first + 32, column, sums.M2);
        Finish(dx, p, first + 48, column, sums.M3);
    }

    private static void Place(TensorCoreProblem p, int pixel, out int image, out int row, out int column)
    {
        image = pixel / (p.S.H * p.S.W) * p.S.P;
        row = pixel < p.InPixels ? pixel / p.S.W % p.S.H + p.S.Padding : -1;
        column = pixel % p.S.W + p.S.Padding;
    }

    private static Copies Start(ArrayView<Chunk> shared, ArrayView<Chunk> gradient, ArrayView<Chunk> w, TensorCoreProblem p, Copies c, bool any)
    {
        if (any)
        {
            int tile = c.Stage * TensorTile.StageChunks, row = Group.IdxX / 4, chunk = Group.IdxX % 4;
            StartPixel(shared, gradient, p, c, tile + TensorTile.ByDepth(row, chunk), c.Image0, c.Row0, c.Column0, chunk);
            StartPixel(shared, gradient, p, c, tile + TensorTile.ByDepth(row + 64, chunk), c.Image1, c.Row1, c.Column1, chunk);
            StartWeights(shared, w, p, c, tile + TensorTile.TileChunks, row, chunk);
            StartWeights(shared, w, p, c, tile + TensorTile.TileChunks, row + 64, chunk);
            c.Chunk += TensorTile.DepthChunks;
            if (c.Chunk >= p.OutChunks)
            {
                c.Chunk = 0;
                c.S++;
                if (c.S == p.S.S)
                {
                    c.S = 0;
                    c.R++;
                }
            }
            c.Stage = c.Stage == TensorTile.Stages - 1 ? 0 : c.Stage + 1;
        }
        AsyncCopy.Commit();
        return c;
    }

    private static void StartPixel(ArrayView<Chunk> shared, ArrayView<Chunk> gradient, TensorCoreProblem p, Copies c, int to, int image, int row, int column, int chunk)
    {
        row -= c.R;
        column -= c.S;
        chunk += c.Chunk;
        bool inside = row >= 0 && column >= 0 && row % p.S.Stride == 0 && column % p.S.Stride == 0;
        row /= p.S.Stride;
        column /= p.S.Stride;
        inside = inside && row < p.S.P && column < p.S.Q && chunk < p.OutChunks;
        AsyncCopy.Start(ref shared[to], ref gradient[inside ? ((image + row) * p.S.Q + column) * p.OutChunks + chunk : 0], inside ? 16 : 0);
    }

    private static void StartWeights(ArrayView<Chunk> shared, ArrayView<Chunk> w, TensorCoreProblem p, Copies c, int tile, int row, int chunk)
    {
        int channel = Grid.IdxY * TensorTile.Columns + row, from = c.Chunk + chunk;
        bool inside = channel < p.InRows && from < p.OutChunks;
        AsyncCopy.Start(ref shared[tile + TensorTile.ByDepth(row, chunk)], ref w[inside ? ((c.R * p.S.S + c.S) * p.InRows + channel) * p.OutChunks + from : 0], inside ? 16 : 0);
    }

    private static void Finish(ArrayView<float> dx, TensorCoreProblem p, int row, int column, Sums16 s)
    {
        StorePair(dx, p, row, column, s.A0, s.A1);
        StorePair(dx, p, row + 8, column, s.A2, s.A3);
        StorePair(dx, p, row, column + 8, s.B0, s.B1);
        StorePair(dx, p, row + 8, column + 8, s.B2, s.B3);
        StorePair(dx, p, row, column + 16, s.C0, s.C1);
        StorePair(dx, p, row + 8, column + 16, s.C2, s.C3);
        StorePair(dx, p, row, column + 24, s.D0, s.D1);
        StorePair(dx, p, row + 8, column + 24, s.D2, s.D3);
    }

    private static void StorePair(ArrayView<float> dx, TensorCoreProblem p, int row, int column, float first, float second)
    {
        if (row < p.InPixels && column < p.S.Ic)
            TensorCorePair.Store(dx, row * p.S.Ic + column, p.S.Ic, column + 1 < p.S.Ic, first, second);
    }
}
