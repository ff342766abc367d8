using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace IlgpuNetVlad.Kernels;

/// <summary>The last step: taps of the sums at the points.</summary>
internal static unsafe partial class HostWinogradGradient<TFilter>
{
    /// <summary>dw[r, c] = Σ G[i, r] · sum[i, j] · G[j, c] in fp64, an input channel and all output channels a task, or some and a group.</summary>
    private readonly struct WeightTask(ConvolutionShape s, float* sums, float* dw) : IHostTask
    {
        private static int Rows(in ConvolutionShape s) => !IsGrouped(s) ? 1 : Vector512.IsHardwareAccelerated ? 16 : 64;

        private static int Blocks(in ConvolutionShape s) => (s.Ic + Rows(s) - 1) / Rows(s);

        public static int Tiles(in ConvolutionShape s) => Blocks(s) * (PaddedOut(s) / GroupOut(s));

        public void Run(int tile, int worker)
        {
            int first = tile % Blocks(s) * Rows(s), end = Math.Min(first + Rows(s), s.Ic), column = tile / Blocks(s) * GroupOut(s), endColumn = Math.Min(column + GroupOut(s), s.Oc);
            new TapTransform(s, sums, SumStep(s), SumLayout(s), 0, 0, dw).Run(first, end, column, endColumn);
        }
    }

    /// <summary>Gᵀ · sums · G of some channels.</summary>
    /// <param name="sums">Of input channels from <paramref name="firstRow"/> on and output channels from <paramref name="firstColumn"/> on, points so far apart.</param>
    private readonly struct TapTransform(ConvolutionShape s, float* sums, long step, WinogradGroups layout, int firstRow, int firstColumn, float* dw)
    {
        private const int RowsAhead = 8, ColumnsAhead = 64, Line = HostPrefetch.Line;

        /// <summary>Input channels from <paramref name="first"/> on, output channels from <paramref name="column"/> on, all of one group where those are in groups.</summary>
        public void Run(int first, int end, int column, int endColumn)
        {
            if (Vector512.IsHardwareAccelerated)
                RunRows<Vector512<double>, HostDoubles512>(first, end, column, endColumn);
            else if (Vector256.IsHardwareAccelerated)
                RunRows<Vector256<double>, HostDoubles256>(first, end, column, endColumn);
            else
                RunRows<Vector128<double>, HostDoubles128>(first, end, column, endColumn);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void RunRows<TVector, TOps>(int first, int end, int column0, int endColumn)
            where TVector : struct
            where TOps : struct, IHostDoubles<TVector>
        {
            int taps = TFilter.Taps, lanes = TOps.Count, group = GroupOut(s);
            float* stack = stackalloc float[2 * Winograd.Patch * taps * lanes + Line];
            double* between = (double*)HostMemory.AtLine(stack), g = stackalloc double[Winograd.Patch * taps];
            float* points = stackalloc float[lanes];
            WinogradFilter<TFilter>.G.CopyTo(new Span<double>(g, Winograd.Patch * taps));
            // Rows follow each other, so what stands ahead of the last columns is the next row; in groups that is so of the sums alone.
            int tapsAhead = IsGrouped(s) ? s.Oc : ColumnsAhead;
            long allTaps = (long)s.Ic * s.Oc, tapStep = allTaps;
            bool gathers = IsGrouped(s) && !Vector512.IsHardwareAccelerated;
            float* lines = stackalloc float[gathers ? taps * taps * Line : 0];
            float* line = sums + layout.Place(first - firstRow, column0 - firstColumn, s.Oc);
            for (int row = first; row < end; row++, line += group)
            {
                float* from = line, to = dw + (long)row * s.Oc + column0;
                if (gathers)
                {
                    FetchAhead(line + RowsAhead * group, step);
                    to = lines;
                    tapStep = Line;
                }
                for (int column = column0; column < endColumn; column += lanes, from += lanes, to += lanes)
                {
                    if (!gathers && (column - column0) % Line == 0)
                    {
                        FetchAhead(from + ColumnsAhead, step);
                        for (int k = 0; k < taps * taps; k++)
                            HostPrefetch.Far(to + tapsAhead + k * allTaps);
                    }
                    for (int j = 0; j < Winograd.Patch; j++)
                    {
                        TVector t0 = default, t1 = default, t2 = default, t3 = default, t4 = default;
                        float* point = from + j * step;
                        double* weights = g;
                        for (int i = 0; i < Winograd.Patch; i++, point += Winograd.Patch * step, weights += taps)
                        {
                            var sum = TOps.Widen(point);
                            t0 = TOps.Add(t0, TOps.Multiply(sum, weights[0]));
                            t1 = TOps.Add(t1, TOps.Multiply(sum, weights[1]));
                            t2 = TOps.Add(t2, TOps.Multiply(sum, weights[2]));
                            if (taps == 5)
                            {
                                t3 = TOps.Add(t3, TOps.Multiply(sum, weights[3]));
                                t4 = TOps.Add(t4, TOps.Multiply(sum, weights[4]));
                            }
                        }
                        double* put = between + j * lanes;
                        TOps.Store(t0, put);
                        TOps.Store(t1, put + Winograd.Patch * lanes);
                        TOps.Store(t2, put + 2 * Winograd.Patch * lanes);
                        if (taps == 5)
                        {
                            TOps.Store(t3, put + 3 * Winograd.Patch * lanes);
                            TOps.Store(t4, put + 4 * Winograd.Patch * lanes);
                        }
                    }
                    // The last columns' vector reaches into the padding.
                    int used = Math.Min(lanes, endColumn - column);
                    double* sum0 = between;
                    float* tap = to;
                    for (int r = 0; r < taps; r++, sum0 += Winograd.Patch * lanes)
                    {
                        TVector r0 = TOps.Load(sum0), r1 = TOps.Load(sum0 + lanes), r2 = TOps.Load(sum0 + 2 * lanes);
                        TVector r3 = TOps.Load(sum0 + 3 * lanes), r4 = TOps.Load(sum0 + 4 * lanes), r5 = TOps.Load(sum0 + 5 * lanes);
                        for (int c = 0; c < taps; c++, tap += tapStep)
                        {
                            double* weights = g + c;
                            var value = TOps.Add(default, TOps.Multiply(r0, weights[0]));
                            value = TOps.Add(value, TOps.Multiply(r1, weights[taps]));
                            value = TOps.Add(value, TOps.Multiply(r2, weights[2 * taps]));
                            value = TOps.Add(value, TOps.Multiply(r3, weights[3 * taps]));
                            value = TOps.Add(value, TOps.Multiply(r4, weights[4 * taps]));
                            value = TOps.Add(value, TOps.Multiply(r5, weights[5 * taps]));
                            if (used == lanes)
                            {
                                TOps.Narrow(value, tap);
                                continue;
                            }
                            TOps.Narrow(value, points);
                            for (int k = 0; k < used; k++)
                                tap[k] = points[k];
                        }
                    }
                }
                if (gathers)
                    Put(lines, dw + (long)row * s.Oc + column0, allTaps, endColumn - column0);
            }
            // What goes past the caches is ordered by nothing else.
            if (gathers && Sse.IsSupported)
                Sse.StoreFence();
        }

        /// <summary>
        /// A line of each tap, past the caches where it is whole: taps lie a large power of 2 apart, so that lines which are written piece by piece would drive each other out of the caches.
        /// </summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Put(float* lines, float* to, long tapStep, int columns)
        {
            for (int tap = 0; tap < TFilter.Taps * TFilter.Taps; tap++, lines += Line, to += tapStep)
                if (columns == Line && (nint)to % (Line * sizeof(float)) == 0)
                {
                    Vector256.Load(lines).StoreAlignedNonTemporal(to);
                    Vector256.Load(lines + Line / 2).StoreAlignedNonTemporal(to + Line / 2);
                }
                else
                    new ReadOnlySpan<float>(lines, columns).CopyTo(new Span<float>(to, columns));
        }

        /// <summary>A row of all points, in more streams than the processor follows by itself.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void FetchAhead(float* row, long step)
        {
            for (int point = 0; point < Winograd.Points; point++, row += step)
                HostPrefetch.Far(row);
        }
    }
}
