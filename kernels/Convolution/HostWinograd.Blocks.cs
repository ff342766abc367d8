using System.Runtime.CompilerServices;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// The same for AVX2, whose registers hold panels of 16 columns only (<see cref="HostPanels.TakesBlocks"/>): V is read once for two of them, 32 columns, so a register tile must read it as one stream, and
/// whatever is done beside a register tile counts four times as much as with panels of 64.
/// </summary>
internal readonly unsafe partial struct HostWinograd<TFilter>
{
    /// <summary>
    /// Panels that one pass over V serves: with two, V is read from the shared cache half as often, and M still stays in the second-level one: 1 to 3 % quicker than one. With four
    /// M does not stay there: 2 to 7 % slower than two with 64 and 128 channels, the same within 2 % with 256 and 512.
    /// </summary>
    private const int Panels = 2;

    /// <summary>
    /// The point from which on a pass asks for what comes behind it, outputs and, the last pass of a block, the next one's input: a block moves twice the second-level cache's size, so what is asked
    /// for during all of it is gone again when it is read. From the first point on: 1 to 2 % slower, from point 27 on: 1 %. With AVX-512, for outputs alone, the same within 2 %.
    /// </summary>
    private const int FirstLate = 18;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RunBlocks(int tile, int worker)
    {
        int block = Block, width = HostPanels.Width(outChannels);
        long first = First(tile);
        int tiles = (int)(First(tile + 1) - first), whole = (int)Math.Clamp(WholeTiles - first, 0, tiles);
        float* transformed = scratch + worker * WorkerFloats(channels, outChannels);
        // The last register tile may reach beyond the block: what it multiplies there is whatever was, and those products are never read.
        long inStep = PointStep(block, channels), group = (long)RegisterTile.Rows * channels;
        float* products = transformed + Winograd.Points * inStep;
        for (int t = 0; t < tiles;)
            t += Read<WinogradBlocks>(first, t, tiles - t, transformed, inStep);
        var spots = stackalloc Spot[tiles];
        for (int t = 0; t < tiles; t++)
            spots[t] = Find(first + t);

        int padded = HostPanels.Padded(outChannels), late = LateGroups(whole, tiles);
        long nextBlock = tile + threads;
        InputAhead ahead = default;
        long weightStep = WinogradWeightPacking<TFilter>.PointStep(channels, outChannels);
        for (int start = 0, columns; start < padded; start += columns)
        {
            columns = Math.Min(Panels * width, padded - start);
            long outStep = PointStep(block, columns);
            float* panels = packed + (long)channels * start, nextPanels = packed + (start + columns < padded ? (long)channels * (start + columns) : 0);
            var outputs = new OutputAhead(spots, start, columns, tiles * Side, late * (columns / width));
            if (start + columns == padded && nextBlock < blocks)
                ahead = new(First(nextBlock), First(nextBlock + 1), late * (columns / width));
            for (int q = 0, after; q < Winograd.Points; q = after)
            {
                after = PointAfter(q, whole);
                int groups = Groups(Winograd.IsFar(q) ? whole : tiles);
                bool fetches = q >= FirstLate;
                float* rows = transformed + q * inStep, weights = panels + q * weightStep;
                for (int column = 0; column < columns; column += width)
                {
                    // The last panel at a point asks for the rows of the next one, the others for none.
                    bool last = column + width == columns;
                    float* v = rows, nextRows = last ? transformed + after * inStep : null, to = products + q * outStep + column;
                    float* next = !last ? weights + (long)channels * width : after < Winograd.Points ? panels + after * weightStep : nextPanels, end = next + (long)channels * width;
                    for (int i = 0; i < groups; i++, v += group, to += (long)RegisterTile.Rows * columns)
                    {
                        if (fetches)
                        {
                            ahead.Call(this);
                            outputs.Call(this);
                        }
                        HostPanels.MultiplyBlocks(v, channels, weights, to, columns, nextRows, next < end ? next : weights);
                        next += 4 * (long)channels;
                        if (last)
                            nextRows += group;
                    }
                    weights += (long)channels * width;
                }
            }
            for (int t = 0; t < tiles; t++)
                Write(spots[t], t >= whole, products + (long)t * columns, outStep, start, Math.Min(columns, outChannels - start), products + Winograd.Points * outStep);
        }
    }

    /// <summary>
    /// Asks for a block's input while others are multiplied, pixel by pixel: of each tile's patch the middle four columns, which its neighbours on both sides do not read first. A row of those is one
    /// run of memory as far as tiles stand side by side.
    /// </summary>
    private struct InputAhead(long first, long end, int calls)
    {
        private readonly int pixels = (int)(end - first) * Winograd.Patch * TFilter.Tile;
        private long tile = first;
        private int due, row = Winograd.Patch, left, tiles, image, top, column;
        private long at;

        /// <summary>To be called before each register tile.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Call(in HostWinograd<TFilter> task)
        {
            for (due += pixels; due >= calls && pixels > 0; due -= calls)
            {
                if (left == 0)
                    NextRow(task);
                left--;
                HostPrefetch.Far(task.input + at, task.channels);
                if (task.mask != null)
                    HostPrefetch.Far(task.mask + at, task.channels);
                at += task.pitch;
            }
        }

        // Optimised at once, as its callers are: a runtime that looks first takes a tenth of conv1_2's time for it until it has seen enough.
        [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
        private void NextRow(in HostWinograd<TFilter> task)
        {
            if (row == Winograd.Patch)
            {
                row = 0;
                (image, top, column) = task.Place(tile);
                tiles = (int)Math.Min(end - tile, task.TileColumns - column / TFilter.Tile);
                tile += tiles;
            }
            left = tiles * TFilter.Tile;
            int h = Math.Clamp(top + row++ - task.padding, 0, task.rows - 1), w = Math.Clamp(column + 2 - task.padding, 0, Math.Max(task.columns - left, 0));
            at = (((long)image * task.rows + h % task.inRing) * task.columns + w) * task.pitch;
        }
    }

    /// <summary>Asks for the outputs that a pass over V will write, row of a tile by row.</summary>
    private struct OutputAhead(Spot* spots, int channel, int columns, int rows, int calls)
    {
        private Spot* spot = spots;
        private int due, row;

        /// <summary>To be called before each register tile.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Call(in HostWinograd<TFilter> task)
        {
            for (due += rows; due >= calls; due -= calls)
                Fetch(task);
        }

        [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
        private void Fetch(in HostWinograd<TFilter> task)
        {
            float* to = spot->Start + (long)row * task.MapColumns * task.outPitch + channel;
            for (int j = 0; j < spot->Width && row < spot->Height; j++, to += task.outPitch)
                HostPrefetch.Far(to, columns);
            if (++row < task.Side)
                return;
            row = 0;
            spot++;
        }
    }
}
