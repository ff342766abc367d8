using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// The Host variant of a 3×3 or 5×5 convolution's gradient by weights and bias, by <see cref="Winograd"/>'s transpose, F(3×3, 4×4) or F(5×5, 2×2): a sum over all tiles of
/// all images at each of the 36 points, from which Gᵀ · G makes the taps.
/// <para>
/// Blocks of tiles pass one after the other. Of each all threads first make V = Bᵀ x B [point][tile][channel in] and Z = A (dy·mask) Aᵀ [point][tile][channel
/// out], both in the shared cache; then the sums grow, a point and a panel of 64 output channels a task, so that a panel's sums stay in one core's cache. Where one block holds all tiles and sums are many,
/// a task is some input and output channels at all points, and makes the taps of sums that never leave its core (<see cref="FilterTask"/>). Every sum
/// is one chain over tiles in order, all images' whole ones before the half ones, whatever the blocks and threads. Tiles of images whose dy is zero are left out (<see cref="HostLiveImages"/>). Workspace: the block and
/// 36/9 or 36/25 times the weights.
/// </para>
/// </summary>
internal static unsafe partial class HostWinogradGradient<TFilter>
    where TFilter : struct, IWinogradFilter
{
    /// <summary>
    /// Floats of a block's V and Z for each thread, about, and at most: what the second-level caches keep of them need not come back from the shared one, whose pace others decide. And tiles that a block has at least,
    /// lest the sums pass through memory too often.
    /// </summary>
    private const int ThreadFloats = 1 << 18, MostFloats = 2 << 20, MinBlock = 192;

    /// <summary>Tiles that one task transforms.</summary>
    private const int TaskTiles = 8;

    private static long Tiles(in ConvolutionShape s) => (long)s.B * WinogradFilter<TFilter>.Tiles(s.P) * WinogradFilter<TFilter>.Tiles(s.Q);

    /// <summary>Rows of whole tiles: the last row may be one of half tiles.</summary>
    private static int WholeTileRows(in ConvolutionShape s) => WinogradFilter<TFilter>.Tiles(s.P) - (WinogradFilter<TFilter>.EndsInHalf(s.P, s.Ic, s.Oc) ? 1 : 0);

    private static int Block(Device device, in ConvolutionShape s)
    {
        long fits = Math.Max(MinBlock, Math.Min(MostFloats, (long)device.Threads * ThreadFloats) / (Winograd.Points * ((long)s.Ic + s.Oc)));
        return (int)Math.Min(Tiles(s), fits);
    }

    /// <summary>See <see cref="HostWinograd{TFilter}"/>: not a multiple of 4 KiB.</summary>
    private static long PointStep(int rows, int width) => (long)rows * width + 16;

    private static int PaddedIn(in ConvolutionShape s) => (s.Ic + RegisterTile.Rows - 1) / RegisterTile.Rows * RegisterTile.Rows;

    /// <summary>
    /// Channels of V that stand together, tile after tile, and those of Z: a step over tiles in rows of all channels would touch lines kilobytes apart, few of which the first-level cache can hold
    /// together. Channels that fill no vectors, with AVX-512 no panels of four, stay in such rows.
    /// </summary>
    private static bool IsGrouped(in ConvolutionShape s) => s.Oc % (Vector512.IsHardwareAccelerated ? WidestPanel : HostSimd.Lanes) == 0;

    /// <inheritdoc cref="IsGrouped"/>
    private static int GroupIn(in ConvolutionShape s)
    {
        int group = Math.Max(HostSimd.Lanes, 8);
        return s.Ic % group == 0 ? group : s.Ic;
    }

    /// <inheritdoc cref="IsGrouped"/>
    private static int GroupOut(in ConvolutionShape s) => IsGrouped(s) ? WidestPanel : HostPanels.Padded(s.Oc);

    private static int WidestPanel => HostPanels.Width(HostPanels.MaxWidth);

    /// <summary>Z's channels with those that fill the last group.</summary>
    private static int PaddedOut(in ConvolutionShape s) => (s.Oc + GroupOut(s) - 1) / GroupOut(s) * GroupOut(s);

    /// <summary>Whether tasks are of <see cref="FilterTask"/>'s kind: the same bits, but fewer and larger ones.</summary>
    public static bool KeepsSums(Device device, in ConvolutionShape s)
        => Tiles(s) == Block(device, s) && IsGrouped(s) && (long)s.Ic * s.Oc >= FilterTask.LeastWeights && FilterTask.Tiles(s) >= 2 * device.Threads;

    private static long SumFloats(Device device, in ConvolutionShape s) => KeepsSums(device, s) ? device.Threads * FilterTask.Floats : Winograd.Points * SumStep(s);

    private static long SumStep(in ConvolutionShape s) => PointStep(PaddedIn(s), PaddedOut(s));

    private static int Zeros(in ConvolutionShape s) => (s.Oc + 15) / 16 * 16;

    /// <summary>dy's rows are summed for the bias where they are transformed: floats of one sum a row and channel.</summary>
    private static long RowSums(in ConvolutionShape s) => s.HasBias == 0 ? 0 : (long)s.B * s.P * s.Oc;

    public static long Workspace(Device device, ConvolutionShape s)
        => HostLiveImages.Floats(s.B) + Zeros(s) + SumFloats(device, s) + Winograd.Points * (PointStep(Block(device, s), s.Ic) + PointStep(Block(device, s), PaddedOut(s))) + RowSums(s);

    public static void Run(Device device, in ConvolutionShape s, float* x, float* y, float* dy, float* dw, float* db, float* workspace)
    {
        int block = Block(device, s);
        var live = new HostLiveImages(device, s, dy, workspace);
        workspace += HostLiveImages.Floats(s.B);
        long tiles = Tiles(s with { B = live.Count });
        float* zeros = workspace, sums = zeros + Zeros(s), inputs = sums + SumFloats(device, s), gradients = inputs + Winograd.Points * PointStep(block, s.Ic);
        float* rowSums = RowSums(s) > 0 ? gradients + Winograd.Points * PointStep(block, PaddedOut(s)) : null;
        new Span<float>(zeros, Zeros(s)).Clear();
        bool keeps = KeepsSums(device, s);
        if (!keeps && (tiles == 0 || PaddedOut(s) > s.Oc && !IsGrouped(s)))
            device.RunHost(Winograd.Points, new ClearTask(s, sums, gradients, block));
        float* mask = s.Relu != 0 ? y : null;
        int panels = HostPanels.Count(s.Oc);
        for (long first = 0; first < tiles || keeps && first == 0; first += block)
        {
            int count = (int)Math.Min(block, tiles - first), whole = (int)Math.Clamp((long)live.Count * WholeTileRows(s) * WinogradFilter<TFilter>.Tiles(s.Q) - first, 0, count);
            device.RunHost((count + TaskTiles - 1) / TaskTiles, new TransformTask(s, live, x, mask, dy, zeros, inputs, gradients, rowSums, first, count, whole, block));
            if (keeps)
                device.RunHost(FilterTask.Tiles(s), new FilterTask(s, inputs, gradients, sums, dw, count, whole, block, device.Threads));
            else
                device.RunHost(Winograd.Points * panels, new SumTask(s, inputs, gradients, sums, first == 0, count, whole, block, panels, device.Threads));
        }
        if (!keeps)
            device.RunHost(WeightTask.Tiles(s), new WeightTask(s, sums, dw));
        if (rowSums != null)
            device.RunHost(RowSumTask.Tiles(s), new RowSumTask(s, live.Count, rowSums, db));
    }

    /// <summary>Of the sums: a row is a channel of V.</summary>
    private static WinogradGroups SumLayout(in ConvolutionShape s) => new(GroupOut(s), PaddedIn(s));

    /// <summary>The padding columns of Z, which nothing writes, are 0; in groups there are none that matter. Sums are cleared where they are first taken up, but here if no image is live.</summary>
    private readonly struct ClearTask(ConvolutionShape s, float* sums, float* gradients, int block) : IHostTask
    {
        public void Run(int tile, int worker)
        {
            new Span<float>(sums + tile * SumStep(s), (int)SumStep(s)).Clear();
            int padded = PaddedOut(s);
            // Panels of whole vectors have no padding that is read.
            for (int t = 0; t < block && padded > s.Oc && !IsGrouped(s); t++)
                new Span<float>(gradients + tile * PointStep(block, padded) + (long)t * padded + s.Oc, padded - s.Oc).Clear();
        }
    }

    private readonly struct TransformTask(ConvolutionShape s, HostLiveImages live, float* x, float* mask, float* dy, float* zeros, float* inputs, float* gradients, float* rowSums, long first, int count, int whole, int block) : IHostTask
    {
        public void Run(int tile, int worker)
        {
            int end = Math.Min(count, (tile + 1) * TaskTiles);
            // Rows of tiles that begin here: what is read now is soon read again.
            for (int t = tile * TaskTiles; t < end && rowSums != null; t++)
                if (Place(t) is { Column: 0 } start)
                    SumRows(start.Image, start.Row);
            for (int t = tile * TaskTiles; t < end;)
                t += TransformInputs(t, end - t);
            for (int t = tile * TaskTiles; t < end; t++)
                TransformGradient(t);
        }

        /// <summary>The image counts live ones.</summary>
        private (int Image, int Row, int Column) Place(int t)
        {
            int tileColumns = WinogradFilter<TFilter>.Tiles(s.Q), wholeRows = WholeTileRows(s);
            long tile = first + t, line = tile / tileColumns, halves = line - (long)live.Count * wholeRows;
            var (image, row) = halves < 0 ? (line / wholeRows, line % wholeRows) : (halves, wholeRows);
            return ((int)image, (int)row * TFilter.Tile, (int)(tile % tileColumns) * TFilter.Tile);
        }

        /// <summary>The columns' sums of all rows of dy that the tile and those beside it cover: short chains in fp32.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void SumRows(int image, int row)
        {
            int end = Math.Min(row + TFilter.Tile, s.P);
            long at = ((long)live[image] * s.P + row) * s.Q * s.YPitch;
            for (float* to = rowSums + ((long)image * s.P + row) * s.Oc; row < end; row++, to += s.Oc)
            {
                new Span<float>(to, s.Oc).Clear();
                for (int q = 0; q < s.Q; q++, at += s.YPitch)
                {
                    int c = 0;
                    float* gate = mask == null ? null : mask + at;
                    if (Vector512.IsHardwareAccelerated)
                        AddPixel<Vector512<float>, HostVector512>(dy + at, gate, to, s.Oc, ref c);
                    if (Vector256.IsHardwareAccelerated)
                        AddPixel<Vector256<float>, HostVector256>(dy + at, gate, to, s.Oc, ref c);
                    AddPixel<Vector128<float>, HostVector128>(dy + at, gate, to, s.Oc, ref c);
                    AddPixel<float, HostScalar>(dy + at, gate, to, s.Oc, ref c);
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void AddPixel<TVector, TOps>(float* pixel, float* gate, float* to, int channels, ref int c)
            where TVector : struct
            where TOps : struct, IHostVector<TVector>
        {
            for (; c <= channels - TOps.Count; c += TOps.Count)
            {
                var value = TOps.Load(pixel + c);
                if (gate != null)
                    value = TOps.Gate(value, TOps.Load(gate + c));
                TOps.Store(TOps.Add(TOps.Load(to + c), value), to + c);
            }
        }

        /// <summary>Transforms tiles from this one on as far as they stand side by side.</summary>
        /// <returns>Their number.</returns>
        [SkipLocalsInit]
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private int TransformInputs(int t, int tiles)
        {
            float** lines = stackalloc float*[Winograd.Patch];
            float* inside = stackalloc float[Winograd.Patch];
            var (image, row, column) = Place(t);
            tiles = Math.Min(tiles, WinogradFilter<TFilter>.Tiles(s.Q) - column / TFilter.Tile);
            int used = t < whole ? Winograd.Patch : Winograd.HalfPatch;
            if (new WinogradPatches(x, s.H, s.H, s.W, s.Ic).Find(live[image], row - s.Padding, used, lines, inside))
                inside = null;
            if (t < whole)
                TransformInputs<TFilter>(lines, inside, column - s.Padding, t, tiles);
            else
                TransformInputs<WinogradHalfFilter3>(lines, inside, column - s.Padding, t, tiles);
            return tiles;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void TransformInputs<TTile>(float** lines, float* inside, int column, int t, int tiles)
            where TTile : struct, IWinogradFilter
        {
            var layout = new WinogradGroups(GroupIn(s), block);
            nint step = (nint)PointStep(block, s.Ic);
            if (Vector512.IsHardwareAccelerated)
                WinogradTransforms.Input<Vector512<float>, HostVector512, TTile, WinogradGroups>(lines, null, inside, column, s.W, s.Ic, t, tiles, s.Ic, inputs, step, layout);
            else if (Vector256.IsHardwareAccelerated)
                WinogradTransforms.Input<Vector256<float>, HostVector256, TTile, WinogradGroups>(lines, null, inside, column, s.W, s.Ic, t, tiles, s.Ic, inputs, step, layout);
            else
                WinogradTransforms.Input<Vector128<float>, HostVector128, TTile, WinogradGroups>(lines, null, inside, column, s.W, s.Ic, t, tiles, s.Ic, inputs, step, layout);
        }

        [SkipLocalsInit]
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void TransformGradient(int t)
        {
            var (image, row, column) = Place(t);
            float** pixels = stackalloc float*[2 * TFilter.Tile * TFilter.Tile];
            float** masks = mask == null ? null : pixels + TFilter.Tile * TFilter.Tile;
            for (int i = 0; i < TFilter.Tile; i++)
                for (int j = 0; j < TFilter.Tile; j++)
                {
                    bool inside = row + i < s.P && column + j < s.Q;
                    long at = (((long)live[image] * s.P + row + i) * s.Q + column + j) * s.YPitch;
                    pixels[i * TFilter.Tile + j] = inside ? dy + at : zeros;
                    if (mask != null)
                        masks[i * TFilter.Tile + j] = inside ? mask + at : zeros;
                }
            if (t < whole)
                TransformGradient<TFilter>(pixels, masks, t);
            else
                TransformGradient<WinogradHalfFilter3>(pixels, masks, t);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void TransformGradient<TTile>(float** pixels, float** masks, int t)
            where TTile : struct, IWinogradFilter
        {
            var layout = new WinogradGroups(GroupOut(s), block);
            nint step = (nint)PointStep(block, PaddedOut(s)), nextTile = (nint)TFilter.Tile * s.YPitch;
            if (Vector512.IsHardwareAccelerated)
                WinogradTransforms.Gradient<Vector512<float>, HostVector512, TTile, WinogradGroups>(pixels, masks, t, s.Oc, nextTile, gradients, step, layout);
            else if (Vector256.IsHardwareAccelerated)
                WinogradTransforms.Gradient<Vector256<float>, HostVector256, TTile, WinogradGroups>(pixels, masks, t, s.Oc, nextTile, gradients, step, layout);
            else
                WinogradTransforms.Gradient<Vector128<float>, HostVector128, TTile, WinogradGroups>(pixels, masks, t, s.Oc, nextTile, gradients, step, layout);
        }
    }

    private readonly struct SumTask(ConvolutionShape s, float* inputs, float* gradients, float* sums, bool begins, int count, int whole, int block, int panels, int threads) : IHostTask
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int tile, int worker)
        {
            int point = tile / panels, tiles = Winograd.IsFar(point) ? whole : count, start = 0, groupIn = GroupIn(s), groupOut = GroupOut(s);
            for (int panel = tile % panels; panel > 0; panel--)
                start += HostPanels.Width(s.Oc - start);
            int width = HostPanels.Width(s.Oc - start);
            var layout = new WinogradGroups(groupIn, block);
            float* from = inputs + point * PointStep(block, s.Ic), gradient = gradients + point * PointStep(block, PaddedOut(s)) + new WinogradGroups(groupOut, block).Place(0, start, s.Oc);
            float* to = sums + point * SumStep(s) + SumLayout(s).Place(0, start, s.Oc);
            var ahead = NextTask(tile);
            int* offsets = stackalloc int[RegisterTile.Rows];
            for (int k = 0; k < s.Ic; k += RegisterTile.Rows)
            {
                // Rows beyond the last channel repeat it, into rows of the sums that are never read.
                nint place = layout.Place(0, k, s.Ic);
                for (int i = 0; i < RegisterTile.Rows; i++)
                    offsets[i] = (int)(layout.Place(0, Math.Min(k + i, s.Ic - 1), s.Ic) - place);
                FetchNext(from, to, k, width);
                for (int i = k; begins && i < k + RegisterTile.Rows; i++)
                    new Span<float>(to + (long)i * groupOut, width).Clear();
                if (tiles > 0)
                    HostPanels.MultiplyOuter(width, from + place, offsets, 1, 0, tiles, groupIn, gradient, groupOut, to + (long)k * groupOut, groupOut, ahead.Take(tiles));
            }
        }

        /// <summary>
        /// What the worker's next task reads: its panel of Z and, at another point, V, which all threads wrote. Many lines of them stand in another core's cache, far away: 256 channels on 24×32
        /// took 0.90 of the time, 64 on 96×128 0.93.
        /// </summary>
        private TaskAhead NextTask(int tile)
        {
            int next = tile + threads, point = next / panels;
            if (!Vector512.IsHardwareAccelerated || !IsGrouped(s) || next >= Winograd.Points * panels)
                return default;
            float* panel = gradients + point * PointStep(block, PaddedOut(s)) + new WinogradGroups(GroupOut(s), block).Place(0, next % panels * GroupOut(s), s.Oc);
            return new(panel, (long)(Winograd.IsFar(point) ? whole : count) * GroupOut(s), inputs + point * PointStep(block, s.Ic), point == tile / panels ? 0 : (long)block * s.Ic);
        }

        /// <summary>The next register tile's sums, and the next lines of V, which lie a row apart: the processor's own foresight finds neither.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void FetchNext(float* from, float* to, int k, int width)
        {
            int next = k + RegisterTile.Rows, groupOut = GroupOut(s);
            if (next >= s.Ic)
                return;
            for (int i = next; i < next + RegisterTile.Rows; i++)
                HostPrefetch.Far(to + (long)i * groupOut, width);
            // In groups V's lines follow each other.
            if (GroupIn(s) < s.Ic)
                return;
            int line = (next + RegisterTile.Rows - 1) / HostPrefetch.Line * HostPrefetch.Line;
            if (line >= next && line < s.Ic)
                for (int t = 0; t < count; t++)
                    HostPrefetch.Far(from + (long)t * s.Ic + line);
        }
    }

    /// <summary>
    /// 48 or 96 input channels and 64 output channels at all points, then their taps: the sums, 0.4 or 0.9 MB, stay in the core's second-level cache, where those of all channels, 38 MB of 512 × 512, would be written
    /// to memory and read from it. In return V comes from the shared cache once for every 64 output channels and Z for every 48 or 96 input ones, and is asked for a point ahead.
    /// </summary>
    private readonly struct FilterTask(ConvolutionShape s, float* inputs, float* gradients, float* scratch, float* dw, int count, int whole, int block, int threads) : IHostTask
    {
        /// <summary>Output channels of a task: whole panels.</summary>
        private const int Columns = HostPanels.MaxWidth;

        /// <summary>Input channels: whole register tiles and groups. Processors with AVX-512 have larger caches: 96 instead of 48 take 0.93 to 0.96 of the time there.</summary>
        private static int Rows => Vector512.IsHardwareAccelerated ? 96 : 48;

        /// <summary>Floats from one point's sums to the next.</summary>
        private static long Step => Rows * Columns + 16;

        /// <summary>Weights of a tap from which on this pays: 128 × 128 took 0.85 of the time with 144 tiles, 256 × 256 0.8, 512 × 512 0.65 with 96 and 0.9 with 192, but 64 × 64 1.0 to 1.1.</summary>
        public const long LeastWeights = 128 * 128;

        /// <summary>Of a worker's sums.</summary>
        public static long Floats => Winograd.Points * Step;

        private static int AllColumns(in ConvolutionShape s) => (s.Oc + Columns - 1) / Columns;

        /// <summary>Those of the same input channels follow each other, so that the last of these, which may be fewer, are dealt to all threads.</summary>
        public static int Tiles(in ConvolutionShape s) => (s.Ic + Rows - 1) / Rows * AllColumns(s);

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int tile, int worker)
        {
            int first = tile / AllColumns(s) * Rows, end = Math.Min(first + Rows, s.Ic), firstColumn = tile % AllColumns(s) * Columns, endColumn = Math.Min(firstColumn + Columns, s.Oc);
            int groupIn = GroupIn(s), groupOut = GroupOut(s);
            WinogradGroups layoutIn = new(groupIn, block), layoutOut = new(groupOut, block), layout = new(groupOut, Rows);
            float* sums = scratch + worker * Floats;
            int* offsets = stackalloc int[RegisterTile.Rows];
            for (int point = 0; point < Winograd.Points; point++)
            {
                int tiles = Winograd.IsFar(point) ? whole : count;
                float* from = inputs + point * PointStep(block, s.Ic), gradient = gradients + point * PointStep(block, PaddedOut(s)), to = sums + point * Step;
                new Span<float>(to, (int)Step).Clear();
                if (tiles == 0)
                    continue;
                var ahead = NextPoint(tile, point);
                for (int column = firstColumn; column < endColumn; column += groupOut)
                {
                    float* z = gradient + layoutOut.Place(0, column, s.Oc), panel = to + layout.Place(0, column - firstColumn, s.Oc);
                    int width = HostPanels.Width(s.Oc - column);
                    for (int k = first; k < end; k += RegisterTile.Rows)
                    {
                        nint place = layoutIn.Place(0, k, s.Ic);
                        for (int i = 0; i < RegisterTile.Rows; i++)
                            offsets[i] = (int)(layoutIn.Place(0, Math.Min(k + i, s.Ic - 1), s.Ic) - place);
                        HostPanels.MultiplyOuter(width, from + place, offsets, 1, 0, tiles, groupIn, z, groupOut, panel + (long)(k - first) * groupOut, groupOut, ahead.Take(tiles));
                    }
                }
            }
            var taps = new TapTransform(s, sums, Step, layout, first, firstColumn, dw);
            for (int column = firstColumn; column < endColumn; column += groupOut)
                taps.Run(first, end, column, Math.Min(column + groupOut, endColumn));
        }

        /// <summary>What the next point reads, at the end of a task the next one's first.</summary>
        private TaskAhead NextPoint(int tile, int point)
        {
            if (++point == Winograd.Points)
                (point, tile) = (0, tile + threads);
            if (!Vector512.IsHardwareAccelerated || tile >= Tiles(s))
                return default;
            int first = tile / AllColumns(s) * Rows, tiles = Winograd.IsFar(point) ? whole : count;
            float* z = gradients + point * PointStep(block, PaddedOut(s)) + new WinogradGroups(GroupOut(s), block).Place(0, tile % AllColumns(s) * Columns, s.Oc);
            return new(z, (long)tiles * Columns, inputs + point * PointStep(block, s.Ic) + new WinogradGroups(GroupIn(s), block).Place(0, first, s.Ic), (long)block * Math.Min(Rows, s.Ic - first));
        }
    }

    /// <summary>Two runs of memory, asked for one after the other, some lines with each product.</summary>
    private struct TaskAhead(float* first, long firstLength, float* second, long secondLength)
    {
        private long at;

        /// <summary>Where the next so many lines stand; null behind the last ones.</summary>
        public float* Take(int lines)
        {
            long start = at;
            at += (long)lines * HostPrefetch.Line;
            return start < firstLength ? first + start : start < firstLength + secondLength ? second + (start - firstLength) : null;
        }
    }

    /// <summary>db: the rows' sums, in fp64 and in order.</summary>
    private readonly struct RowSumTask(ConvolutionShape s, int images, float* rowSums, float* db) : IHostTask
    {
        private const int Columns = 16;

        public static int Tiles(in ConvolutionShape s) => (s.Oc + Columns - 1) / Columns;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int tile, int worker)
        {
            int start = tile * Columns, count = Math.Min(Columns, s.Oc - start);
            double* sums = stackalloc double[Columns];
            new Span<double>(sums, Columns).Clear();
            float* row = rowSums + start, end = row + (long)images * s.P * s.Oc;
            for (; row < end; row += s.Oc)
                for (int j = 0; j < count; j++)
                    sums[j] += row[j];
            for (int j = 0; j < count; j++)
                db[start + j] = (float)sums[j];
        }
    }
}
