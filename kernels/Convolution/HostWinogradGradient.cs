using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// The Host variant of a 3×3 or 5×5 convolution's gradient by weights and bias, by <see cref="Winograd"/>'s transpose, F(3×3, 4×4) or F(5×5, 2×2): a sum over all tiles of
/// all images at each of the 36 points, from which Gᵀ · G makes the taps.
/// <para>
/// Blocks of tiles pass one after the other. Of each all threads first make V = Bᵀ x B [point][tile][channel in] and Z = A (dy·mask) Aᵀ [point][tile][channel
/// out], both in the shared cache; then the sums grow, a point and a panel of 64 output channels a task, so that a panel's sums stay in one core's cache. Every sum
/// is one chain over tiles in order, whatever the blocks and threads. Tiles of images whose dy is zero are left out (<see cref="HostLiveImages"/>). Workspace: the block and
/// 36/9 or 36/25 times the weights.
/// </para>
/// </summary>
internal static unsafe class HostWinogradGradient<TFilter>
    where TFilter : struct, IWinogradFilter
{
    /// <summary>Floats that a block's V and Z take, about, and tiles that it has at least, lest the sums pass through memory too often.</summary>
    private const int BlockFloats = 2 << 20, MinBlock = 192;

    /// <summary>Tiles that one task transforms.</summary>
    private const int TaskTiles = 8;

    private static long Tiles(in ConvolutionShape s) => (long)s.B * WinogradFilter<TFilter>.Tiles(s.P) * WinogradFilter<TFilter>.Tiles(s.Q);

    private static int Block(in ConvolutionShape s)
    {
        long fits = Math.Max(MinBlock, BlockFloats / (Winograd.Points * ((long)s.Ic + s.Oc)));
        return (int)Math.Min(Tiles(s), fits);
    }

    /// <summary>See <see cref="HostWinograd{TFilter}"/>: not a multiple of 4 KiB.</summary>
    private static long PointStep(int rows, int width) => (long)rows * width + 16;

    private static int PaddedIn(in ConvolutionShape s) => (s.Ic + RegisterTile.Rows - 1) / RegisterTile.Rows * RegisterTile.Rows;

    private static long SumStep(in ConvolutionShape s) => PointStep(PaddedIn(s), HostPanels.Padded(s.Oc));

    private static int Zeros(in ConvolutionShape s) => (Math.Max(s.Ic, s.Oc) + 15) / 16 * 16;

    public static long Workspace(Device device, ConvolutionShape s)
        => HostLiveImages.Floats(s.B) + Zeros(s) + Winograd.Points * (SumStep(s) + PointStep(Block(s), s.Ic) + PointStep(Block(s), HostPanels.Padded(s.Oc)));

    public static void Run(Device device, in ConvolutionShape s, float* x, float* y, float* dy, float* dw, float* db, float* workspace)
    {
        int block = Block(s), paddedOut = HostPanels.Padded(s.Oc);
        var live = new HostLiveImages(device, s, dy, workspace);
        workspace += HostLiveImages.Floats(s.B);
        long tiles = Tiles(s with { B = live.Count });
        float* zeros = workspace, sums = zeros + Zeros(s), inputs = sums + Winograd.Points * SumStep(s), gradients = inputs + Winograd.Points * PointStep(block, s.Ic);
        new Span<float>(zeros, Zeros(s)).Clear();
        device.RunHost(Winograd.Points, new ClearTask(s, sums, gradients, block));
        float* mask = s.Relu != 0 ? y : null;
        int panels = HostPanels.Count(s.Oc);
        for (long first = 0; first < tiles; first += block)
        {
            int count = (int)Math.Min(block, tiles - first);
            device.RunHost((count + TaskTiles - 1) / TaskTiles, new TransformTask(s, live, x, mask, dy, zeros, inputs, gradients, first, count, block));
            device.RunHost(Winograd.Points * panels, new SumTask(s, inputs, gradients, sums, count, block, panels));
        }
        device.RunHost(s.Ic, new WeightTask(s, sums, dw));
        if (s.HasBias != 0)
            device.RunHost((s.Oc + BiasTask.Columns - 1) / BiasTask.Columns, new BiasTask(s, mask, dy, db));
    }

    /// <summary>Sums begin at 0, and so do the padding columns of Z, which nothing writes.</summary>
    private readonly struct ClearTask(ConvolutionShape s, float* sums, float* gradients, int block) : IHostTask
    {
        public void Run(int tile, int worker)
        {
            new Span<float>(sums + tile * SumStep(s), (int)SumStep(s)).Clear();
            int padded = HostPanels.Padded(s.Oc);
            for (int t = 0; t < block && padded > s.Oc; t++)
                new Span<float>(gradients + tile * PointStep(block, padded) + (long)t * padded + s.Oc, padded - s.Oc).Clear();
        }
    }

    private readonly struct TransformTask(ConvolutionShape s, HostLiveImages live, float* x, float* mask, float* dy, float* zeros, float* inputs, float* gradients, long first, int count, int block) : IHostTask
    {
        public void Run(int tile, int worker)
        {
            int end = Math.Min(count, (tile + 1) * TaskTiles);
            for (int t = tile * TaskTiles; t < end;)
                t += TransformInputs(t, end - t);
            for (int t = tile * TaskTiles; t < end; t++)
                TransformGradient(t);
        }

        private (int Image, int Row, int Column) Place(int t)
        {
            int tileColumns = WinogradFilter<TFilter>.Tiles(s.Q), tileRows = WinogradFilter<TFilter>.Tiles(s.P);
            long tile = first + t, line = tile / tileColumns;
            return (live[(int)(line / tileRows)], (int)(line % tileRows) * TFilter.Tile, (int)(tile % tileColumns) * TFilter.Tile);
        }

        /// <summary>Transforms tiles from this one on as far as they stand side by side.</summary>
        /// <returns>Their number.</returns>
        [SkipLocalsInit]
        private int TransformInputs(int t, int tiles)
        {
            var (image, row, column) = Place(t);
            tiles = Math.Min(Math.Min(tiles, WinogradTransforms.MaxRun), WinogradFilter<TFilter>.Tiles(s.Q) - column / TFilter.Tile);
            float** pixels = stackalloc float*[WinogradTransforms.MaxColumns * Winograd.Patch];
            new WinogradPatches(x, s.H, s.H, s.W, s.Ic, s.Padding).Find<TFilter>(image, row, column, tiles, zeros, pixels);
            float* to = inputs + (long)t * s.Ic;
            nint step = (nint)PointStep(block, s.Ic);
            if (Vector512.IsHardwareAccelerated)
                WinogradTransforms.Input<Vector512<float>, HostVector512, TFilter>(pixels, null, tiles, s.Ic, to, step);
            else if (Vector256.IsHardwareAccelerated)
                WinogradTransforms.Input<Vector256<float>, HostVector256, TFilter>(pixels, null, tiles, s.Ic, to, step);
            else
                WinogradTransforms.Input<Vector128<float>, HostVector128, TFilter>(pixels, null, tiles, s.Ic, to, step);
            return tiles;
        }

        [SkipLocalsInit]
        private void TransformGradient(int t)
        {
            var (image, row, column) = Place(t);
            int padded = HostPanels.Padded(s.Oc);
            float** pixels = stackalloc float*[2 * TFilter.Tile * TFilter.Tile];
            float** masks = mask == null ? null : pixels + TFilter.Tile * TFilter.Tile;
            for (int i = 0; i < TFilter.Tile; i++)
                for (int j = 0; j < TFilter.Tile; j++)
                {
                    bool inside = row + i < s.P && column + j < s.Q;
                    long at = (((long)image * s.P + row + i) * s.Q + column + j) * s.YPitch;
                    pixels[i * TFilter.Tile + j] = inside ? dy + at : zeros;
                    if (mask != null)
                        masks[i * TFilter.Tile + j] = inside ? mask + at : zeros;
                }
            float* to = gradients + (long)t * padded;
            nint step = (nint)PointStep(block, padded);
            if (Vector512.IsHardwareAccelerated)
                WinogradTransforms.Gradient<Vector512<float>, HostVector512, TFilter>(pixels, masks, s.Oc, to, step);
            else if (Vector256.IsHardwareAccelerated)
                WinogradTransforms.Gradient<Vector256<float>, HostVector256, TFilter>(pixels, masks, s.Oc, to, step);
            else
                WinogradTransforms.Gradient<Vector128<float>, HostVector128, TFilter>(pixels, masks, s.Oc, to, step);
        }
    }

    private readonly struct SumTask(ConvolutionShape s, float* inputs, float* gradients, float* sums, int count, int block, int panels) : IHostTask
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int tile, int worker)
        {
            int point = tile / panels, start = 0, padded = HostPanels.Padded(s.Oc);
            for (int panel = tile % panels; panel > 0; panel--)
                start += HostPanels.Width(s.Oc - start);
            int width = HostPanels.Width(s.Oc - start);
            float* from = inputs + point * PointStep(block, s.Ic), gradient = gradients + point * PointStep(block, padded) + start;
            float* to = sums + point * SumStep(s) + start;
            int* offsets = stackalloc int[RegisterTile.Rows];
            for (int k = 0; k < s.Ic; k += RegisterTile.Rows)
            {
                // Rows beyond the last channel repeat it, into rows of the sums that are never read.
                for (int i = 0; i < RegisterTile.Rows; i++)
                    offsets[i] = Math.Min(i, s.Ic - 1 - k);
                FetchNext(from, to, k, width);
                HostPanels.MultiplyOuter(width, from + k, offsets, 1, 0, count, s.Ic, gradient, padded, to + (long)k * padded, padded);
            }
        }

        /// <summary>The next register tile's sums, and the next lines of V, which lie a row apart: the processor's own foresight finds neither.</summary>
        private void FetchNext(float* from, float* to, int k, int width)
        {
            int next = k + RegisterTile.Rows, padded = HostPanels.Padded(s.Oc);
            if (next >= s.Ic)
                return;
            for (int i = next; i < next + RegisterTile.Rows; i++)
                HostPrefetch.Far(to + (long)i * padded, width);
            int line = (next + RegisterTile.Rows - 1) / HostPrefetch.Line * HostPrefetch.Line;
            if (line >= next && line < s.Ic)
                for (int t = 0; t < count; t++)
                    HostPrefetch.Far(from + (long)t * s.Ic + line);
        }
    }

    /// <summary>dw[r, c] = Σ G[i, r] · sum[i, j] · G[j, c] in fp64, one input channel a task.</summary>
    private readonly struct WeightTask(ConvolutionShape s, float* sums, float* dw) : IHostTask
    {
        public void Run(int tile, int worker)
        {
            if (Vector512.IsHardwareAccelerated)
                Run<Vector512<double>, HostDoubles512>(tile);
            else if (Vector256.IsHardwareAccelerated)
                Run<Vector256<double>, HostDoubles256>(tile);
            else
                Run<Vector128<double>, HostDoubles128>(tile);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Run<TVector, TOps>(int tile)
            where TVector : struct
            where TOps : struct, IHostDoubles<TVector>
        {
            int taps = TFilter.Taps, lanes = TOps.Count;
            double* between = stackalloc double[Winograd.Patch * taps * lanes];
            float* points = stackalloc float[lanes];
            double[] g = WinogradFilter<TFilter>.G;
            int padded = HostPanels.Padded(s.Oc);
            long step = SumStep(s);
            for (int column = 0; column < s.Oc; column += lanes)
            {
                // The last columns' vector reaches into the padding.
                int used = Math.Min(lanes, s.Oc - column);
                float* from = sums + (long)tile * padded + column;
                for (int j = 0; j < Winograd.Patch; j++)
                {
                    TVector t0 = default, t1 = default, t2 = default, t3 = default, t4 = default;
                    for (int i = 0; i < Winograd.Patch; i++)
                    {
                        var sum = TOps.Widen(from + (Winograd.Patch * i + j) * step);
                        t0 = TOps.Add(t0, TOps.Multiply(sum, g[taps * i]));
                        t1 = TOps.Add(t1, TOps.Multiply(sum, g[taps * i + 1]));
                        t2 = TOps.Add(t2, TOps.Multiply(sum, g[taps * i + 2]));
                        if (taps == 5)
                        {
                            t3 = TOps.Add(t3, TOps.Multiply(sum, g[taps * i + 3]));
                            t4 = TOps.Add(t4, TOps.Multiply(sum, g[taps * i + 4]));
                        }
                    }
                    TOps.Store(t0, between + j * lanes);
                    TOps.Store(t1, between + (Winograd.Patch + j) * lanes);
                    TOps.Store(t2, between + (2 * Winograd.Patch + j) * lanes);
                    if (taps == 5)
                    {
                        TOps.Store(t3, between + (3 * Winograd.Patch + j) * lanes);
                        TOps.Store(t4, between + (4 * Winograd.Patch + j) * lanes);
                    }
                }
                for (int r = 0; r < taps; r++)
                    for (int c = 0; c < taps; c++)
                    {
                        TVector tap = default;
                        for (int j = 0; j < Winograd.Patch; j++)
                            tap = TOps.Add(tap, TOps.Multiply(TOps.Load(between + (Winograd.Patch * r + j) * lanes), g[taps * j + c]));
                        float* to = dw + ((long)(taps * r + c) * s.Ic + tile) * s.Oc + column;
                        if (used == lanes)
                        {
                            TOps.Narrow(tap, to);
                            continue;
                        }
                        TOps.Narrow(tap, points);
                        for (int k = 0; k < used; k++)
                            to[k] = points[k];
                    }
            }
        }
    }

    /// <summary>db: sums of columns, pixels in order.</summary>
    private readonly struct BiasTask(ConvolutionShape s, float* mask, float* dy, float* db) : IHostTask
    {
        public const int Columns = 16;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int tile, int worker)
        {
            int start = tile * Columns, count = Math.Min(Columns, s.Oc - start);
            double* sums = stackalloc double[Columns];
            new Span<double>(sums, Columns).Clear();
            float* line = stackalloc float[Columns];
            for (long row = 0; row < (long)s.B * s.P; row++)
            {
                // Short chains in fp32, their sums in fp64.
                Vector512<float> chain = default;
                new Span<float>(line, Columns).Clear();
                for (long at = row * s.Q * s.YPitch + start; at < (row + 1) * s.Q * s.YPitch; at += s.YPitch)
                {
                    if (count == Columns)
                    {
                        var value = Vector512.Load(dy + at);
                        chain += mask == null ? value : HostVector512.Gate(value, Vector512.Load(mask + at));
                    }
                    else
                        for (int j = 0; j < count; j++)
                            line[j] += mask == null ? dy[at + j] : HostScalar.Gate(dy[at + j], mask[at + j]);
                }
                if (count == Columns)
                    chain.Store(line);
                for (int j = 0; j < count; j++)
                    sums[j] += line[j];
            }
            for (int j = 0; j < count; j++)
                db[start + j] = (float)sums[j];
        }
    }
}
