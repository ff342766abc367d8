using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// y = act(conv(x, w) + b) as a product on tensor cores (<see cref="TensorTile"/>): rows are output pixels, columns output channels, k one tap after the other and
/// in it 32 input channels at a time. A thread copies two chunks of x, whose pixels it keeps, and two of w a step; what lies in the padding or beyond a tail comes as zeros. Copies run
/// two steps ahead, and one barrier a step is enough: behind it everyone has left the stage that the next copies fill. Inputs in bf16, sums, bias and ReLU in fp32; 2·B·P·Q·Oc·R·S·Ic FLOPs.
/// </summary>
internal static class TensorCoreForward
{
    public static readonly SimtKernel<Action<KernelConfig, ArrayView<Chunk>, ArrayView<Chunk>, ArrayView<float>, ArrayView<float>, TensorCoreProblem>> Kernel =
        new("convolution.forward.bf16-128x128x32", Run, a => a.LoadStreamKernel<ArrayView<Chunk>, ArrayView<Chunk>, ArrayView<float>, ArrayView<float>, TensorCoreProblem>(Run));

    /// <summary>What a thread copies next, and into which stage.</summary>
    private struct Copies
    {
        /// <summary>Of the two pixels: image·H, and the row and column that tap (0, 0) reads. A pixel beyond the last has a row that no tap brings into the map.</summary>
        public int Image0, Row0, Column0, Image1, Row1, Column1;

        public int R, S, Chunk, Stage;
    }

    private static void Run(ArrayView<Chunk> x, ArrayView<Chunk> w, ArrayView<float> b, ArrayView<float> y, TensorCoreProblem p)
    {
        var shared = SharedMemory.Allocate<Chunk>(TensorTile.AllChunks);
        var copies = new Copies();
        int row = Grid.IdxX * TensorTile.Rows + Group.IdxX / 4;
        Place(p, row, out copies.Image0, out copies.Row0, out copies.Column0);
        Place(p, row + 64, out copies.Image1, out copies.Row1, out copies.Column1);
        int steps = p.Taps * ((p.InChunks + TensorTile.DepthChunks - 1) / TensorTile.DepthChunks);
        copies = Start(shared, x, w, p, copies, steps > 0);
        copies = Start(shared, x, w, p, copies, steps > 1);
        var sums = new Sums64();
        int stage = 0;
        for (int step = 0; step < steps; step++)
        {
            AsyncCopy.WaitForAllButOne();
            Group.Barrier();
            copies = Start(shared, x, w, p, copies, step + 2 < steps);
            int tile = stage * TensorTile.StageChunks;
            sums = TensorCore.Multiply(sums, TensorTile.RowsByDepth(shared, tile, 0), TensorTile.ColumnsAcross(shared, tile + TensorTile.TileChunks, 0));
            sums = TensorCore.Multiply(sums, TensorTile.RowsByDepth(shared, tile, 1), TensorTile.ColumnsAcross(shared, tile + TensorTile.TileChunks, 1));
            stage = stage == TensorTile.Stages - 1 ? 0 : stage + 1;
        }
        int first = Grid.IdxX * TensorTile.Rows + TensorTile.ThreadRow, column = Grid.IdxY * TensorTile.Columns + TensorTile.ThreadColumn;
        Finish(b, y, p, first, column, sums.M0);
        Finish(b, y, p, first + 16, column, sums.M1);
        Finish(b, y, p, first + 32, column, sums.M2);
        Finish(b, y, p, first + 48, column, sums.M3);
    }

    private static void Place(TensorCoreProblem p, int pixel, out int image, out int row, out int column)
    {
        image = pixel / (p.S.P * p.S.Q) * p.S.H;
        row = pixel < p.OutPixels ? pixel / p.S.Q % p.S.P * p.S.Stride - p.S.Padding : p.S.H;
        column = pixel % p.S.Q * p.S.Stride - p.S.Padding;
    }

    private static Copies Start(ArrayView<Chunk> shared, ArrayView<Chunk> x, ArrayView<Chunk> w, TensorCoreProblem p, Copies c, bool any)
    {
        if (any)
        {
            int tile = c.Stage * TensorTile.StageChunks, row = Group.IdxX / 4, chunk = Group.IdxX % 4;
            StartPixel(shared, x, p, c, tile + TensorTile.ByDepth(row, chunk), c.Image0, c.Row0, c.Column0, chunk);
            StartPixel(shared, x, p, c, tile + TensorTile.ByDepth(row + 64, chunk), c.Image1, c.Row1, c.Column1, chunk);
            int k = Group.IdxX / 16, column = Group.IdxX % 16;
            StartWeights(shared, w, p, c, tile + TensorTile.TileChunks, k, column);
            StartWeights(shared, w, p, c, tile + TensorTile.TileChunks, k + 16, column);
            c.Chunk += TensorTile.DepthChunks;
            if (c.Chunk >= p.InChunks)
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

    private static void StartPixel(ArrayView<Chunk> shared, ArrayView<Chunk> x, TensorCoreProblem p, Copies c, int to, int image, int row, int column, int chunk)
    {
        row += c.R;
        column += c.S;
        chunk += c.Chunk;
        bool inside = row >= 0 && row < p.S.H && column >= 0 && column < p.S.W && chunk < p.InChunks;
        AsyncCopy.Start(ref shared[to], ref x[inside ? ((image + row) * p.S.W + column) * p.InChunks + chunk : 0], inside ? 16 : 0);
    }

    private static void StartWeights(ArrayView<Chunk> shared, ArrayView<Chunk> w, TensorCoreProblem p, Copies c, int tile, int k, int column)
    {
        int row = c.Chunk * Chunk.Channels + k, chunk = Grid.IdxY * TensorTile.SideChunks + column;
        bool inside = row < p.InRows && chunk < p.OutChunks;
        AsyncCopy.Start(ref shared[tile + TensorTile.Across(k, column)], ref w[inside ? ((c.R * p.S.S + c.S) * p.InRows + row) * p.OutChunks + chunk : 0], inside ? 16 : 0);
    }

    private static void Finish(ArrayView<float> b, ArrayView<float> y, TensorCoreProblem p, int row, int column, Sums16 s)
    {
        FinishPair(b, y, p, row, column, s.A0, s.A1);
        FinishPair(b, y, p, row + 8, column, s.A2, s.A3);
        FinishPair(b, y, p, row, column + 8, s.B0, s.B1);
        FinishPair(b, y, p, row + 8, column + 8, s.B2, s.B3);
        FinishPair(b, y, p, row, column + 16, s.C0, s.C1);
        FinishPair(b, y, p, row + 8, column + 16, s.C2, s.C3);
        FinishPair(b, y, p, row, column + 24, s.D0, s.D1);
        FinishPair(b, y, p, row + 8, column + 24, s.D2, s.D3);
    }

    private static void FinishPair(ArrayView<float> b, ArrayView<float> y, TensorCoreProblem p, int row, int column, float first, float second)
    {
        if (row >= p.OutPixels || column >= p.S.Oc)
            return;
        bool both = column + 1 < p.S.Oc;
        if (p.S.HasBias != 0)
        {
            first += b[column];
            if (both)
                second += b[column + 1];
        }
        if (p.S.Relu != 0)
        {
            first = first < 0 ? 0 : first;
            second = second < 0 ? 0 : second;
        }
        TensorCorePair.Store(y, row * p.S.Oc + column, p.S.Oc, both, first, second);
    }
}
