using System.Runtime.CompilerServices;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// The Host variant of NetVLAD: every heavy part is a product in 6-row register tiles (<see cref="RegisterTile"/>).
/// <para>Forward, in three passes over all cores:</para>
/// <para>assign, a tile = 96 local descriptors of one image: 1/‖x‖, logits X·Wᵀ (w packed by columns once a call), softmax → A;</para>
/// <para>aggregate, a tile = the clusters of one image, or a thread's share of them: (A/‖x‖)ᵀ·X − mass·c, intra-normalised → V̂;</para>
/// <para>finish, a tile = one image: the last normalisation.</para>
/// Backward does the first two again, then dV per image, ds and dx by 96 descriptors, dw by clusters of an image, and adds
/// the images in order. Workspace: see <see cref="Layout"/>.
/// </summary>
internal static unsafe class HostNetVlad
{
    /// <summary>Local descriptors of a tile.</summary>
    private const int BlockRows = 96;

    /// <summary>Channels of a panel that the L1 cache holds for a block of rows, where it has two vectors at most.</summary>
    private const int PieceDepth = 256;

    /// <summary>Where things lie in the workspace; all arrays are padded so that a register tile may write whole.</summary>
    private readonly struct Layout(NetVladShape s, int threads, bool backward)
    {
        public readonly NetVladShape Shape = s;

        /// <summary>Clusters of a tile: all of an image, or as many register tiles as give every thread its share where there are fewer images than threads.</summary>
        public int BlockClusters
        {
            get
            {
                int shares = Math.Max(1, (threads + Shape.B - 1) / Math.Max(1, Shape.B)), rows = Blocks(Shape.K, RegisterTile.Rows);
                return Blocks(rows, Math.Min(shares, rows)) * RegisterTile.Rows;
            }
        }

        /// <summary>Clusters with the padding of the last panel: the row length of A and dS.</summary>
        public readonly int PaddedK = HostPanels.Padded(s.K);

        /// <summary>w packed [panel][D][width].</summary>
        public long Packed => 0;
        public long Assignment => Packed + (long)Shape.D * PaddedK;
        public long Inverse => Assignment + (long)Shape.B * Shape.N * PaddedK;
        public long Mass => Inverse + (long)Shape.B * Shape.N;
        public long ClusterScale => Mass + (long)Shape.B * Shape.K;
        public long Residual => ClusterScale + (long)Shape.B * Shape.K;
        private long ForwardEnd => Residual + Shape.YLength;

        /// <summary>dV [B,K,D], c·dV [B,K], dS like A, dw of each image [B,K,D], db of each image [B,K], dV packed like w [B].</summary>
        public long Gradient => ForwardEnd;
        public long Centre => Gradient + Shape.YLength;
        public long Logits => Centre + (long)Shape.B * Shape.K;
        public long Weights => Logits + (long)Shape.B * Shape.N * PaddedK;
        public long Bias => Weights + Shape.YLength;
        public long PackedGradient => Bias + (long)Shape.B * Shape.K;
        private long BackwardEnd => PackedGradient + (long)Shape.B * Shape.D * PaddedK;

        private long Scratch => backward ? BackwardEnd : ForwardEnd;

        /// <summary>A worker's sums: of a block of rows, or the scaled assignments of a block of rows and clusters, and the clusters' sums.</summary>
        private long SumFloats => Math.Max((BlockRows + RegisterTile.Rows) * (long)Math.Max(HostPanels.MaxWidth, Shape.D),
            (long)BlockClusters * (BlockRows + Shape.D));

        /// <summary>And the columns of a matrix that <see cref="MultiplyRows"/> takes together.</summary>
        private long WorkerFloats => SumFloats + (long)Math.Max(BlockRows, Shape.K) * HostPanels.MaxWidth;

        public float* Worker(float* workspace, int worker) => workspace + Scratch + worker * WorkerFloats;

        public float* Columns(float* workspace, int worker) => Worker(workspace, worker) + SumFloats;

        public long Total => Scratch + threads * WorkerFloats;
    }

    public static long ForwardWorkspace(Device device, NetVladShape s) => new Layout(s, device.Threads, backward: false).Total;

    public static long BackwardWorkspace(Device device, NetVladShape s) => new Layout(s, device.Threads, backward: true).Total;

    public static void Forward(Device device, in NetVladShape s, float* x, float* w, float* b, float* c, float* y, float* workspace)
    {
        if (s.B == 0)
            return;
        var layout = new Layout(s, device.Threads, backward: false);
        AssignAndAggregate(device, s, layout, x, w, b, c, workspace);
        device.RunHost(s.B, new FinishTask(layout, workspace, y));
    }

    public static void Backward(Device device, in NetVladShape s, float* x, float* w, float* b, float* c, float* dy, float* dx, float* dw, float* db, float* dc, float* workspace)
    {
        var layout = new Layout(s, device.Threads, backward: true);
        if (s.B > 0)
        {
            AssignAndAggregate(device, s, layout, x, w, b, c, workspace);
            device.RunHost(s.B, new ClusterGradientTask(layout, workspace, c, dy));
            device.RunHost(s.B * Blocks(s.N, BlockRows), new RowGradientTask(layout, workspace, x, w, dx));
            device.RunHost(s.B * Blocks(s.K, layout.BlockClusters), new WeightGradientTask(layout, workspace, x));
        }
        device.RunHost(s.K, new SumTask(layout, workspace, dw, s.HasBias != 0 ? db : null, dc));
    }

    private static int Blocks(int count, int size) => (count + size - 1) / size;

    private static void AssignAndAggregate(Device device, in NetVladShape s, in Layout layout, float* x, float* w, float* b, float* c, float* workspace)
    {
        Pack(w, s, workspace + layout.Packed);
        device.RunHost(s.B * Blocks(s.N, BlockRows), new AssignTask(layout, workspace, x, s.HasBias != 0 ? b : null));
        device.RunHost(s.B * Blocks(s.K, layout.BlockClusters), new AggregateTask(layout, workspace, x, c));
    }

    /// <summary>A [K,D] matrix as panels [panel][D][width] of its transpose.</summary>
    private static void Pack(float* from, in NetVladShape s, float* to)
    {
        for (int start = 0, width; start < s.K; start += width)
        {
            width = HostPanels.Width(s.K - start);
            PackedPanel.FromRows(from + (long)start * s.D, s.D, Math.Min(width, s.K - start), to, width, s.D);
            to += (long)s.D * width;
        }
    }

    /// <summary>target[i][0 … K) = x_i · packed, for <paramref name="rows"/> rows; stride PaddedK. <paramref name="sums"/> are of one panel.</summary>
    private static void Project(float* x, int rows, in Layout layout, float* packed, float* sums, float* target)
    {
        int depth = layout.Shape.D;
        int* offsets = stackalloc int[RegisterTile.Rows];
        for (int start = 0, width; start < layout.Shape.K; start += width)
        {
            width = HostPanels.Width(layout.Shape.K - start);
            // A whole panel of 512 channels would fill the L1 cache; the widest waits for none of its numbers.
            int piece = width == HostPanels.MaxWidth ? depth : PieceDepth;
            for (int d = 0; d < depth; d += piece)
            {
                var run = HostRuns.One(Math.Min(piece, depth - d));
                for (int row = 0; row < rows; row += RegisterTile.Rows)
                {
                    for (int i = 0; i < RegisterTile.Rows; i++)
                        offsets[i] = Math.Min(row + i, rows - 1) * depth;
                    HostPanels.MultiplyRuns(width, x + d, offsets, run, packed + (long)d * width, sums + row * width, d > 0);
                }
            }
            for (int row = 0; row < rows; row++)
                new ReadOnlySpan<float>(sums + row * width, width).CopyTo(new Span<float>(target + (long)row * layout.PaddedK + start, width));
            packed += (long)depth * width;
        }
    }

    /// <summary>
    /// to[i][0 … columns) += Σ_k a[i·rowStep + k·aStep] · b[k][0 … columns) for <paramref name="rows"/> rows, which are filled up to whole register tiles. Columns beyond the last whole vector one by one.
    /// </summary>
    /// <param name="panel">Room for the columns of b that are taken together: their rows lie a power of two apart as often as not, which few sets of a cache hold.</param>
    private static void MultiplyRows(float* a, int rowStep, nint aStep, int rows, float* b, int length, float* to, int columns, float* panel)
    {
        int lanes = HostSimd.Lanes, start = 0, last = (rows - 1) / RegisterTile.Rows * RegisterTile.Rows;
        int* offsets = stackalloc int[RegisterTile.Rows], lastOffsets = stackalloc int[RegisterTile.Rows];
        for (int i = 0; i < RegisterTile.Rows; i++)
        {
            offsets[i] = i * rowStep;
            lastOffsets[i] = (Math.Min(last + i, rows - 1) - last) * rowStep;
        }
        while (columns - start >= lanes)
        {
            int left = columns - start, width = lanes == 16 && left >= 64 ? 64 : left >= 2 * lanes ? 2 * lanes : lanes;
            Gather(b + start, columns, panel, width, length);
            for (int row = 0; row <= last; row += RegisterTile.Rows)
                HostPanels.MultiplyOuter(
                    width, a + (long)row * rowStep, row < last ? offsets : lastOffsets, 1, 0, length, aStep, panel, width, to + (long)row * columns + start, columns);
            start += width;
        }
        for (; start < columns; start++)
            for (int row = 0; row < rows; row++)
            {
                float sum = to[(long)row * columns + start];
                for (int k = 0; k < length; k++)
                    sum = float.MultiplyAddEstimate(a[(long)row * rowStep + k * aStep], b[(long)k * columns + start], sum);
                to[(long)row * columns + start] = sum;
            }
    }

    /// <summary>panel[k][0 … width) = b[k·columns …); what lies behind them is asked for meanwhile, it is wanted next.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Gather(float* b, int columns, float* panel, int width, int length)
    {
        for (int k = 0; k < length; k++, b += columns, panel += width)
        {
            HostPrefetch.Far(b + width, width);
            PackedPanel.Copy(b, panel, width);
        }
    }

    private readonly struct AssignTask(Layout layout, float* workspace, float* x, float* b) : IHostTask
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int tile, int worker)
        {
            var s = layout.Shape;
            int blocks = Blocks(s.N, BlockRows), image = tile / blocks, first = tile % blocks * BlockRows, rows = Math.Min(BlockRows, s.N - first);
            long row0 = (long)image * s.N + first;
            float* from = x + row0 * s.D, assignment = workspace + layout.Assignment + row0 * layout.PaddedK;
            Project(from, rows, layout, workspace + layout.Packed, layout.Worker(workspace, worker), assignment);
            for (int i = 0; i < rows; i++, from += s.D, assignment += layout.PaddedK)
            {
                float inverse = HostRows.InverseNorm(HostRows.Dot(from, from, s.D), s.SoftFloor != 0, out _);
                workspace[layout.Inverse + row0 + i] = inverse;
                HostSoftmax.Run(assignment, inverse, b, s.K);
                new Span<float>(assignment + s.K, layout.PaddedK - s.K).Clear();
            }
        }
    }

    private readonly struct AggregateTask(Layout layout, float* workspace, float* x, float* c) : IHostTask
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int tile, int worker)
        {
            var s = layout.Shape;
            int block = layout.BlockClusters, blocks = Blocks(s.K, block), image = tile / blocks, first = tile % blocks * block, clusters = Math.Min(block, s.K - first);
            float* sums = SumOverRows(layout, workspace, worker, x, workspace + layout.Assignment, image, first, clusters);
            float* mass = workspace + layout.Mass + (long)image * s.K + first;
            new Span<float>(mass, clusters).Clear();
            HostPanels.SumRows(workspace + layout.Assignment + (long)image * s.N * layout.PaddedK + first, layout.PaddedK, s.N, mass, clusters);
            for (int k = 0; k < clusters; k++)
            {
                long cluster = (long)image * s.K + first + k;
                float* residual = sums + (long)k * s.D;
                HostRows.AddScaled(-mass[k], c + (long)(first + k) * s.D, residual, s.D);
                float inverse = HostRows.InverseNorm(HostRows.Dot(residual, residual, s.D), s.SoftFloor != 0, out bool clamped);
                HostRows.Scale(inverse, residual, workspace + layout.Residual + cluster * s.D, s.D);
                workspace[layout.ClusterScale + cluster] = clamped ? 0 : inverse;
            }
        }
    }

    /// <summary>Σ_i m_ik x̂_i for a block of clusters of one image, m a matrix like A; in the worker's scratch, D numbers a cluster.</summary>
    private static float* SumOverRows(in Layout layout, float* workspace, int worker, float* x, float* matrix, int image, int first, int clusters)
    {
        var s = layout.Shape;
        int block = layout.BlockClusters;
        float* scaled = layout.Worker(workspace, worker), sums = scaled + (long)BlockRows * block;
        float* from = matrix + (long)image * s.N * layout.PaddedK + first, inverse = workspace + layout.Inverse + (long)image * s.N;
        new Span<float>(sums, block * s.D).Clear();
        // Block of rows by block: one panel of its columns stays in the L1 cache for all clusters.
        for (int row = 0, rows; row < s.N; row += rows)
        {
            rows = Math.Min(BlockRows, s.N - row);
            for (int i = 0; i < rows; i++, from += layout.PaddedK)
                HostRows.Scale(inverse[row + i], from, scaled + (long)i * block, clusters);
            MultiplyRows(scaled, 1, block, clusters, x + ((long)image * s.N + row) * s.D, rows, sums, s.D, layout.Columns(workspace, worker));
        }
        return sums;
    }

    private readonly struct FinishTask(Layout layout, float* workspace, float* y) : IHostTask
    {
        public void Run(int tile, int worker)
        {
            var s = layout.Shape;
            int length = s.K * s.D;
            float* from = workspace + layout.Residual + (long)tile * length;
            HostRows.Scale(HostRows.InverseNorm(HostRows.Dot(from, from, length), s.SoftFloor != 0, out _), from, y + (long)tile * length, length);
        }
    }

    /// <summary>dV, c·dV and dV packed, of one image.</summary>
    private readonly struct ClusterGradientTask(Layout layout, float* workspace, float* c, float* dy) : IHostTask
    {
        public void Run(int tile, int worker)
        {
            var s = layout.Shape;
            int length = s.K * s.D;
            float* residual = workspace + layout.Residual + (long)tile * length, gradient = workspace + layout.Gradient + (long)tile * length, from = dy + (long)tile * length;
            float inverse = HostRows.InverseNorm(HostRows.Dot(residual, residual, length), s.SoftFloor != 0, out bool clamped);
            // y = V̂ · inverse, so y (y·dy) = V̂ (V̂·dy) · inverse².
            float along = HostRows.Dot(residual, from, length) * inverse * inverse;
            HostRows.Project(from, along, residual, clamped ? 0 : inverse, gradient, length);
            for (int k = 0; k < s.K; k++)
            {
                long cluster = (long)tile * s.K + k;
                float* unit = residual + (long)k * s.D, to = gradient + (long)k * s.D;
                HostRows.Project(to, HostRows.Dot(unit, to, s.D), unit, workspace[layout.ClusterScale + cluster], to, s.D);
                workspace[layout.Centre + cluster] = HostRows.Dot(c + (long)k * s.D, to, s.D);
            }
            Pack(gradient, s, workspace + layout.PackedGradient + (long)tile * s.D * layout.PaddedK);
        }
    }

    /// <summary>ds and dx of a block of local descriptors.</summary>
    private readonly struct RowGradientTask(Layout layout, float* workspace, float* x, float* w, float* dx) : IHostTask
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int tile, int worker)
        {
            var s = layout.Shape;
            int blocks = Blocks(s.N, BlockRows), image = tile / blocks, first = tile % blocks * BlockRows, rows = Math.Min(BlockRows, s.N - first), padded = layout.PaddedK;
            long row0 = (long)image * s.N + first;
            float* from = x + row0 * s.D, assignment = workspace + layout.Assignment + row0 * padded, logits = workspace + layout.Logits + row0 * padded;
            float* scratch = layout.Worker(workspace, worker), centre = workspace + layout.Centre + (long)image * s.K;
            Project(from, rows, layout, workspace + layout.PackedGradient + (long)image * s.D * padded, scratch, logits);
            for (int i = 0; i < rows; i++)
            {
                float* a = assignment + (long)i * padded, ds = logits + (long)i * padded;
                float inverse = workspace[layout.Inverse + row0 + i];
                for (int k = 0; k < s.K; k++)
                    ds[k] = ds[k] * inverse - centre[k];
                float mean = HostRows.Dot(a, ds, s.K);
                for (int k = 0; k < s.K; k++)
                    ds[k] = a[k] * (ds[k] - mean);
                new Span<float>(ds + s.K, padded - s.K).Clear();
            }
            if (dx == null)
                return;
            new Span<float>(scratch, (rows + RegisterTile.Rows) * s.D).Clear();
            float* columns = layout.Columns(workspace, worker);
            MultiplyRows(assignment, padded, 1, rows, workspace + layout.Gradient + (long)image * s.K * s.D, s.K, scratch, s.D, columns);
            MultiplyRows(logits, padded, 1, rows, w, s.K, scratch, s.D, columns);
            for (int i = 0; i < rows; i++)
            {
                float* unit = from + (long)i * s.D, gradient = scratch + (long)i * s.D;
                float inverse = HostRows.InverseNorm(HostRows.Dot(unit, unit, s.D), s.SoftFloor != 0, out bool clamped);
                HostRows.Project(gradient, HostRows.Dot(unit, gradient, s.D) * inverse * inverse, unit, clamped ? 0 : inverse, dx + (row0 + i) * s.D, s.D);
            }
        }
    }

    /// <summary>dw and db of a block of clusters of one image.</summary>
    private readonly struct WeightGradientTask(Layout layout, float* workspace, float* x) : IHostTask
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int tile, int worker)
        {
            var s = layout.Shape;
            int block = layout.BlockClusters, blocks = Blocks(s.K, block), image = tile / blocks, first = tile % blocks * block, clusters = Math.Min(block, s.K - first);
            float* sums = SumOverRows(layout, workspace, worker, x, workspace + layout.Logits, image, first, clusters);
            new ReadOnlySpan<float>(sums, clusters * s.D).CopyTo(new Span<float>(workspace + layout.Weights + ((long)image * s.K + first) * s.D, clusters * s.D));
            float* bias = workspace + layout.Bias + (long)image * s.K + first;
            new Span<float>(bias, clusters).Clear();
            HostPanels.SumRows(workspace + layout.Logits + (long)image * s.N * layout.PaddedK + first, layout.PaddedK, s.N, bias, clusters);
        }
    }

    /// <summary>Adds one cluster's gradients over the images in order.</summary>
    private readonly struct SumTask(Layout layout, float* workspace, float* dw, float* db, float* dc) : IHostTask
    {
        public void Run(int tile, int worker)
        {
            var s = layout.Shape;
            float* weight = dw + (long)tile * s.D, centre = dc + (long)tile * s.D;
            new Span<float>(weight, s.D).Clear();
            new Span<float>(centre, s.D).Clear();
            float bias = 0;
            for (int image = 0; image < s.B; image++)
            {
                long cluster = (long)image * s.K + tile;
                HostRows.AddScaled(1, workspace + layout.Weights + cluster * s.D, weight, s.D);
                HostRows.AddScaled(-workspace[layout.Mass + cluster], workspace + layout.Gradient + cluster * s.D, centre, s.D);
                bias += workspace[layout.Bias + cluster];
            }
            if (db != null)
                db[tile] = bias;
        }
    }
}
