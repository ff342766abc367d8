using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

public static partial class Convolution
{
    private static void ForwardSimt(Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        if (s.B > 0)
            Simt.Forward.On(device)(Simt.Config(s.B * s.P * s.Q, s.GroupOc, s.Groups), v[0], v[1], v[2], v[3], s);
    }

    private static void ForwardPooledSimt(Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        if (s.B > 0)
            Simt.ForwardPooled.On(device)(Simt.Config(4 * s.B * (s.P / 2) * (s.Q / 2), s.GroupOc, s.Groups), v[0], v[1], v[2], v[3], s);
    }

    private static void BackwardDataSimt(Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        if (s.B > 0)
            Simt.BackwardData.On(device)(Simt.Config(s.B * s.H * s.W, s.GroupIc, s.Groups), v[0], v[1], v[2], v[3], s);
    }

    private static void BackwardWeightsSimt(Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        int slices = WeightSlices(s);
        Simt.BackwardWeights.On(device)(Simt.Config(s.R * s.S * s.GroupIc, s.GroupOc, s.Groups * slices), v[0], v[1], v[2], slices > 1 ? workspace : v[3], s, slices);
        if (slices > 1)
            PartialSums.Run(device, workspace, v[3], s.WLength, slices);
        BackwardBiasSimt(device, s, v, workspace);
    }

    private static long BackwardWeightsSimtWorkspace(Device device, ConvolutionShape s)
        => Math.Max(WeightSlices(s) > 1 ? (long)WeightSlices(s) * s.WLength : 0, BackwardBiasWorkspace(device, s));

    /// <summary>
    /// As many slices of pixels as bring the tiles to eight for each of an H100's 132 multiprocessors, with at least 512 pixels each: few weights are few tiles, with long sums. By the shape alone, so
    /// that every chip adds in the same order.
    /// </summary>
    private static int WeightSlices(in ConvolutionShape s)
    {
        var tiles = Simt.Config(s.R * s.S * s.GroupIc, s.GroupOc, s.Groups).GridDim;
        long wanted = Math.Min(1056 / ((long)tiles.X * tiles.Y * tiles.Z), s.B * s.P * s.Q / 512);
        return (int)Math.Clamp(Math.Min(wanted, int.MaxValue / s.WLength), 1, 64);
    }

    /// <summary>Floats of workspace that the bias gradient takes.</summary>
    private static long BackwardBiasWorkspace(Device device, ConvolutionShape s) => (long)s.HasBias * BiasSlices(s) * s.Oc;

    /// <summary>Parts into which the pixels are cut, by the shape alone.</summary>
    private static int BiasSlices(ConvolutionShape s) => Math.Clamp(s.B * s.P * s.Q / 512, 1, 256);

    private static void BackwardBiasSimt(Device device, in ConvolutionShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        if (s.HasBias == 0)
            return;
        int groups = (s.Oc + SimtTile.Threads - 1) / SimtTile.Threads, slices = BiasSlices(s);
        Simt.BackwardBias.On(device)(new KernelConfig(new Index3D(groups, slices, 1), new Index3D(SimtTile.Threads, 1, 1)), v[1], v[2], workspace, s, slices);
        Simt.BackwardBiasSum.On(device)(new KernelConfig(groups, SimtTile.Threads), workspace, v[4], s.Oc, slices);
    }

    /// <summary>
    /// Implicit products: rows and columns of A and B are computed, never stored. Each output number is summed by one thread over k in
    /// order. grid (row tiles, column tiles, groups; of the gradient by weights groups × slices of pixels), 64 threads, 2 · 16 · 33 · 4 B = 4.1 KB of shared memory;
    /// a tile reads (32 + 32) · 4 B from L2 for each 32·32·2 FLOP of a k: 8 FLOP a byte.
    /// </summary>
    private static class Simt
    {
        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ConvolutionShape>> Forward =
            new("convolution.forward.simt-32x32x16", ForwardKernel,
                a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ConvolutionShape>(ForwardKernel));

        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ConvolutionShape>> ForwardPooled =
            new("convolution.forward-pooled.simt-32x32x16", ForwardPooledKernel,
                a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ConvolutionShape>(ForwardPooledKernel));

        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ConvolutionShape>> BackwardData =
            new("convolution.backward-data.simt-32x32x16", BackwardDataKernel,
                a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ConvolutionShape>(BackwardDataKernel));

        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ConvolutionShape, int>> BackwardWeights =
            new("convolution.backward-weights.simt-32x32x16", BackwardWeightsKernel,
                a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ConvolutionShape, int>(BackwardWeightsKernel));

        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, ConvolutionShape, int>> BackwardBias =
            new("convolution.backward-bias.simt", BackwardBiasKernel,
                a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, ConvolutionShape, int>(BackwardBiasKernel));

        public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, int, int>> BackwardBiasSum =
            new("convolution.backward-bias.sum", BackwardBiasSumKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, int, int>(BackwardBiasSumKernel));

        public static KernelConfig Config(int rows, int columns, int groups)
            => new(new Index3D((rows + SimtTile.Rows - 1) / SimtTile.Rows, (columns + SimtTile.Columns - 1) / SimtTile.Columns, groups), new Index3D(SimtTile.Threads, 1, 1));

        // k = (r, s, c); rows are output pixels, columns output channels of the group.
        private static void ForwardKernel(ArrayView<float> x, ArrayView<float> w, ArrayView<float> b, ArrayView<float> y, ConvolutionShape s)
        {
            int rows = s.B * s.P * s.Q;
            var sums = Products(x, w, s, rows, false);
            for (int i = 0; i < 4; i++)
            {
                int row = Grid.IdxX * SimtTile.Rows + SimtTile.ThreadRow + i, column = Grid.IdxY * SimtTile.Columns + SimtTile.ThreadColumn;
                if (row >= rows)
                    continue;
                var (c0, c1, c2, c3) = SimtTile.Row(sums, i);
                Finish(b, y, s, row, column, Grid.IdxZ, c0);
                Finish(b, y, s, row, column + 1, Grid.IdxZ, c1);
                Finish(b, y, s, row, column + 2, Grid.IdxZ, c2);
                Finish(b, y, s, row, column + 3, Grid.IdxZ, c3);
            }
        }

        // Four rows that follow each other are the pixels of one 2×2 window, and one thread has all four.
        private static void ForwardPooledKernel(ArrayView<float> x, ArrayView<float> w, ArrayView<float> b, ArrayView<float> y, ConvolutionShape s)
        {
            int rows = 4 * s.B * (s.P / 2) * (s.Q / 2);
            var sums = Products(x, w, s, rows, true);
            int row = Grid.IdxX * SimtTile.Rows + SimtTile.ThreadRow, column = Grid.IdxY * SimtTile.Columns + SimtTile.ThreadColumn;
            if (row >= rows)
                return;
            Finish(b, y, s, row / 4, column, Grid.IdxZ, Maximum(sums.C00, sums.C10, sums.C20, sums.C30));
            Finish(b, y, s, row / 4, column + 1, Grid.IdxZ, Maximum(sums.C01, sums.C11, sums.C21, sums.C31));
            Finish(b, y, s, row / 4, column + 2, Grid.IdxZ, Maximum(sums.C02, sums.C12, sums.C22, sums.C32));
            Finish(b, y, s, row / 4, column + 3, Grid.IdxZ, Maximum(sums.C03, sums.C13, sums.C23, sums.C33));
        }

        /// <summary>NaN where one of them is.</summary>
        private static float Maximum(float a, float b, float c, float d)
        {
            if (!(a >= b) && !float.IsNaN(a))
                a = b;
            if (!(a >= c) && !float.IsNaN(a))
                a = c;
            if (!(a >= d) && !float.IsNaN(a))
                a = d;
            return a;
        }

        /// <param name="windows">Rows go through the 2×2 windows of pooling one after the other instead of through the map's rows.</param>
        private static SimtTile Products(ArrayView<float> x, ArrayView<float> w, ConvolutionShape s, int rows, bool windows)
        {
            var sharedA = SharedMemory.Allocate<float>(SimtTile.Depth * SimtTile.Pitch);
            var sharedB = SharedMemory.Allocate<float>(SimtTile.Depth * SimtTile.Pitch);
            int depth = s.R * s.S * s.GroupIc, group = Grid.IdxZ;
            int row0 = Grid.IdxX * SimtTile.Rows, column0 = Grid.IdxY * SimtTile.Columns;
            var sums = new SimtTile();
            for (int k0 = 0; k0 < depth; k0 += SimtTile.Depth)
            {
                for (int i = 0; i < SimtTile.Loads; i++)
                {
                    int element = Group.IdxX + i * SimtTile.Threads;
                    int k = element % SimtTile.Depth, row = element / SimtTile.Depth;
                    float value = 0;
                    if (row0 + row < rows && k0 + k < depth)
                        value = Pixel(x, s, windows ? InWindow(s, row0 + row) : row0 + row, (k0 + k) / s.GroupIc, group * s.GroupIc + (k0 + k) % s.GroupIc);
                    sharedA[k * SimtTile.Pitch + row] = value;
                    int column = element % SimtTile.Columns;
                    k = element / SimtTile.Columns;
                    value = 0;
                    if (column0 + column < s.GroupOc && k0 + k < depth)
                        value = w[(k0 + k) * s.Oc + group * s.GroupOc + column0 + column];
                    sharedB[k * SimtTile.Pitch + column] = value;
                }
                Group.Barrier();
                sums = SimtTile.Multiply(sums, sharedA, sharedB);
                Group.Barrier();
            }
            return sums;
        }

        /// <summary>The output pixel that is number row % 4 of 2×2 window row / 4.</summary>
        private static int InWindow(ConvolutionShape s, int row)
        {
            int window = row / 4, columns = s.Q / 2, q = window % columns, p = window / columns % (s.P / 2), image = window / columns / (s.P / 2);
            return (image * s.P + 2 * p + row % 4 / 2) * s.Q + 2 * q + row % 2;
        }

        private static void Finish(ArrayView<float> b, ArrayView<float> y, ConvolutionShape s, int row, int column, int group, float sum)
        {
            if (column >= s.GroupOc)
                return;
            int channel = group * s.GroupOc + column;
            if (s.HasBias != 0)
                sum += b[channel];
            if (s.Relu != 0 && sum < 0)
                sum = 0;
            y[row * s.YPitch + channel] = sum;
        }

        /// <summary>What output pixel <paramref name="row"/> reads at a tap; 0 in the padding.</summary>
        private static float Pixel(ArrayView<float> x, ConvolutionShape s, int row, int tap, int channel)
        {
            int image = row / (s.P * s.Q), p = row / s.Q % s.P, q = row % s.Q;
            int h = p * s.Stride + tap / s.S - s.Padding, column = q * s.Stride + tap % s.S - s.Padding;
            return h >= 0 && h < s.H && column >= 0 && column < s.W ? x[((image * s.H + h) * s.W + column) * s.Ic + channel] : 0;
        }

        private static float Masked(ArrayView<float> y, ArrayView<float> dy, ConvolutionShape s, int index)
        {
            if (s.Relu != 0 && y[index] <= 0)
                return 0;
            return dy[index];
        }

        // k = (r, s, o); rows are input pixels, columns input channels of the group.
        private static void BackwardDataKernel(ArrayView<float> w, ArrayView<float> y, ArrayView<float> dy, ArrayView<float> dx, ConvolutionShape s)
        {
            var sharedA = SharedMemory.Allocate<float>(SimtTile.Depth * SimtTile.Pitch);
            var sharedB = SharedMemory.Allocate<float>(SimtTile.Depth * SimtTile.Pitch);
            int rows = s.B * s.H * s.W, depth = s.R * s.S * s.GroupOc, group = Grid.IdxZ;
            int row0 = Grid.IdxX * SimtTile.Rows, column0 = Grid.IdxY * SimtTile.Columns;
            var sums = new SimtTile();
            for (int k0 = 0; k0 < depth; k0 += SimtTile.Depth)
            {
                for (int i = 0; i < SimtTile.Loads; i++)
                {
                    int element = Group.IdxX + i * SimtTile.Threads;
                    int k = element % SimtTile.Depth, row = element / SimtTile.Depth;
                    float value = 0;
                    if (row0 + row < rows && k0 + k < depth)
                        value = Gradient(y, dy, s, row0 + row, (k0 + k) / s.GroupOc, group * s.GroupOc + (k0 + k) % s.GroupOc);
                    sharedA[k * SimtTile.Pitch + row] = value;
                    int column = element / SimtTile.Depth;
                    value = 0;
                    if (column0 + column < s.GroupIc && k0 + k < depth)
                        value = w[((k0 + k) / s.GroupOc * s.GroupIc + column0 + column) * s.Oc + group * s.GroupOc + (k0 + k) % s.GroupOc];
                    sharedB[k * SimtTile.Pitch + column] = value;
                }
                Group.Barrier();
                sums = SimtTile.Multiply(sums, sharedA, sharedB);
                Group.Barrier();
            }
            for (int i = 0; i < 4; i++)
            {
                int row = row0 + SimtTile.ThreadRow + i, column = column0 + SimtTile.ThreadColumn;
                if (row >= rows)
                    continue;
                var (c0, c1, c2, c3) = SimtTile.Row(sums, i);
                Store(dx, row * s.Ic + group * s.GroupIc, column, s.GroupIc, c0);
                Store(dx, row * s.Ic + group * s.GroupIc, column + 1, s.GroupIc, c1);
                Store(dx, row * s.Ic + group * s.GroupIc, column + 2, s.GroupIc, c2);
                Store(dx, row * s.Ic + group * s.GroupIc, column + 3, s.GroupIc, c3);
            }
        }

        private static void Store(ArrayView<float> to, int start, int column, int columns, float value)
        {
            if (column < columns)
                to[start + column] = value;
        }

        /// <summary>The masked gradient of the output that reads input pixel <paramref name="row"/> at a tap; 0 where there is none.</summary>
        private static float Gradient(ArrayView<float> y, ArrayView<float> dy, ConvolutionShape s, int row, int tap, int channel)
        {
            int image = row / (s.H * s.W), down = row / s.W % s.H + s.Padding - tap / s.S, right = row % s.W + s.Padding - tap % s.S;
            if (down < 0 || right < 0 || down % s.Stride != 0 || right % s.Stride != 0)
                return 0;
            down /= s.Stride;
            right /= s.Stride;
            if (down >= s.P || right >= s.Q)
                return 0;
            return Masked(y, dy, s, ((image * s.P + down) * s.Q + right) * s.YPitch + channel);
        }

        // k is an output pixel of any image; rows are (r, s, c), columns output channels of the group. Each slice of pixels has weights of its own in dw.
        private static void BackwardWeightsKernel(ArrayView<float> x, ArrayView<float> y, ArrayView<float> dy, ArrayView<float> dw, ConvolutionShape s, int slices)
        {
            var sharedA = SharedMemory.Allocate<float>(SimtTile.Depth * SimtTile.Pitch);
            var sharedB = SharedMemory.Allocate<float>(SimtTile.Depth * SimtTile.Pitch);
            int rows = s.R * s.S * s.GroupIc, pixels = s.B * s.P * s.Q, each = (pixels + slices - 1) / slices, group = Grid.IdxZ % s.Groups, slice = Grid.IdxZ / s.Groups;
            int row0 = Grid.IdxX * SimtTile.Rows, column0 = Grid.IdxY * SimtTile.Columns, depth = (slice + 1) * each < pixels ? (slice + 1) * each : pixels;
            var sums = new SimtTile();
            for (int k0 = slice * each; k0 < depth; k0 += SimtTile.Depth)
            {
                for (int i = 0; i < SimtTile.Loads; i++)
                {
                    int element = Group.IdxX + i * SimtTile.Threads;
                    int k = element / SimtTile.Rows, row = element % SimtTile.Rows;
                    float value = 0;
                    if (row0 + row < rows && k0 + k < depth)
                        value = Pixel(x, s, k0 + k, (row0 + row) / s.GroupIc, group * s.GroupIc + (row0 + row) % s.GroupIc);
                    sharedA[k * SimtTile.Pitch + row] = value;
                    value = 0;
                    if (column0 + row < s.GroupOc && k0 + k < depth)
                        value = Masked(y, dy, s, (k0 + k) * s.YPitch + group * s.GroupOc + column0 + row);
                    sharedB[k * SimtTile.Pitch + row] = value;
                }
                Group.Barrier();
                sums = SimtTile.Multiply(sums, sharedA, sharedB);
                Group.Barrier();
            }
            for (int i = 0; i < 4; i++)
            {
                int row = row0 + SimtTile.ThreadRow + i, column = column0 + SimtTile.ThreadColumn;
                if (row >= rows)
                    continue;
                var (c0, c1, c2, c3) = SimtTile.Row(sums, i);
                int start = slice * s.WLength + row * s.Oc + group * s.GroupOc;
                Store(dw, start, column, s.GroupOc, c0);
                Store(dw, start, column + 1, s.GroupOc, c1);
                Store(dw, start, column + 2, s.GroupOc, c2);
                Store(dw, start, column + 3, s.GroupOc, c3);
            }
        }

        // One thread a channel and slice of pixels: 64 threads read neighbouring channels, so the loads are coalesced.
        private static void BackwardBiasKernel(ArrayView<float> y, ArrayView<float> dy, ArrayView<float> partial, ConvolutionShape s, int slices)
        {
            int channel = Grid.IdxX * SimtTile.Threads + Group.IdxX, pixels = s.B * s.P * s.Q, each = (pixels + slices - 1) / slices;
            if (channel >= s.Oc)
                return;
            int first = Grid.IdxY * each, end = first + each < pixels ? first + each : pixels;
            float sum = 0;
            for (int pixel = first; pixel < end; pixel++)
                sum += Masked(y, dy, s, pixel * s.YPitch + channel);
            partial[Grid.IdxY * s.Oc + channel] = sum;
        }

        private static void BackwardBiasSumKernel(ArrayView<float> partial, ArrayView<float> db, int channels, int slices)
        {
            int channel = Grid.IdxX * SimtTile.Threads + Group.IdxX;
            if (channel >= channels)
                return;
            float sum = 0;
            for (int slice = 0; slice < slices; slice++)
                sum += partial[slice * channels + channel];
            db[channel] = sum;
        }
    }
}
