using System.Runtime.CompilerServices;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// The Host variant of NetVLAD: every heavy part is a product in 6-row register tiles (<see cref="RegisterTile"/>).
/// <para>Forward, of an image:</para>
/// <para>assign, 96 local descriptors at a time: 1/‖x‖, logits X·Wᵀ (w packed by clusters once a call), softmax → A;</para>
/// <para>sum, a panel of channels at a time: (A/‖x‖)ᵀ·X;</para>
/// <para>finish: − mass·c, intra-normalised → V̂, the last normalisation.</para>
/// <para>Backward does the first two again, then V̂ and dV, then ds and dx by 96 descriptors; and, when all images are done, dw, db and dc by panels of channels, in each of them the images in order.</para>
/// With many images each of them is one task, all of which but dV, dS and x stays in one core's cache: passes over all images would write and read [B,K,D] numbers from memory again and again. Few
/// images are shared by all threads, step by step. The sums are the same.
/// </summary>
internal static unsafe class HostNetVlad
{
    /// <summary>Channels of a panel that the L1 cache holds for a block of rows, where it has two vectors at most.</summary>
    private const int PieceDepth = 256;

    public static long ForwardWorkspace(Device device, NetVladShape s) => new HostNetVladLayout(s, device.Threads, backward: false).Total;

    public static long BackwardWorkspace(Device device, NetVladShape s) => new HostNetVladLayout(s, device.Threads, backward: true).Total;

    public static void Forward(Device device, in NetVladShape s, float* x, float* w, float* b, float* c, float* y, float* workspace)
    {
        if (s.B == 0)
            return;
        var pass = new Pass(new(s, device.Threads, backward: false), workspace, x, s.HasBias != 0 ? b : null, c);
        PackClusters(w, s, pass.Layout.PaddedK, workspace + pass.Layout.Clusters);
        if (pass.Layout.ByImage)
        {
            device.RunHost(s.B, new ForwardTask(pass, y));
            return;
        }
        AssignAndSum(device, pass);
        device.RunHost(s.B, new FinishTask(pass, y));
    }

    public static void Backward(Device device, in NetVladShape s, float* x, float* w, float* b, float* c, float* dy, float* dx, float* dw, float* db, float* dc, float* workspace)
    {
        var pass = new Pass(new(s, device.Threads, backward: true), workspace, x, s.HasBias != 0 ? b : null, c);
        var layout = pass.Layout;
        if (s.B > 0)
        {
            PackClusters(w, s, layout.PaddedK, workspace + layout.Clusters);
            PackChannels(w, s, workspace + layout.Channels);
            if (layout.ByImage)
                device.RunHost(s.B, new BackwardTask(pass, dy, dx));
            else
            {
                AssignAndSum(device, pass);
                device.RunHost(s.B, new ClusterGradientTask(pass, dy));
                device.RunHost(s.B * layout.Blocks, new RowGradientTask(pass, dx));
            }
        }
        int panels = HostColumns.Count(s.D), shares = layout.Shares(panels);
        device.RunHost(panels * shares + s.HasBias, new WeightGradientTask(pass, panels, shares, dw, db, dc));
    }

    /// <summary>For few images: all threads assign, then all sum.</summary>
    private static void AssignAndSum(Device device, in Pass pass)
    {
        var layout = pass.Layout;
        int panels = HostColumns.Count(layout.Shape.D), shares = layout.Shares(layout.Shape.B * panels);
        device.RunHost(layout.Shape.B * layout.Blocks, new AssignTask(pass));
        device.RunHost(layout.Shape.B * (panels * shares + 1), new SumTask(pass, panels, shares));
    }

    /// <summary>A [K,D] matrix as panels of its rows [panel][D][width].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PackClusters(float* from, in NetVladShape s, int padded, float* to)
    {
        for (int start = 0, width; start < padded; start += width)
        {
            width = HostPanels.Width(s.K - start);
            PackedPanel.FromRows(from + (long)start * s.D, s.D, Math.Min(width, s.K - start), to, width, s.D);
            to += (long)s.D * width;
        }
    }

    /// <summary>A [K,D] matrix as panels of its columns [panel][K][width].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PackChannels(float* from, in NetVladShape s, float* to)
    {
        for (int start = 0, width; start < s.D; start += width)
        {
            width = HostColumns.Width(s.D - start);
            HostColumns.Gather(from + start, s.D, to + (long)start * s.K, width, s.K, null);
        }
    }

    /// <summary>The steps of one call, each for a part of one image.</summary>
    private readonly struct Pass(in HostNetVladLayout layout, float* workspace, float* x, float* b, float* c)
    {
        public readonly HostNetVladLayout Layout = layout;

        public float* Workspace => workspace;

        public float* X(int image) => x + (long)image * Layout.Shape.N * Layout.Shape.D;

        /// <summary>target[i][0 … K) = x_i · packed, for <paramref name="rows"/> rows; stride padded K. <paramref name="sums"/> are of one panel.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Project(float* from, int rows, float* packed, float* sums, float* target)
        {
            int depth = Layout.Shape.D, clusters = Layout.Shape.K, padded = Layout.PaddedK;
            int* offsets = stackalloc int[RegisterTile.Rows];
            for (int start = 0, width; start < clusters; start += width)
            {
                width = HostPanels.Width(clusters - start);
                // A whole panel of 512 channels would fill the L1 cache; the widest waits for none of its numbers.
                int piece = width == HostPanels.MaxWidth ? depth : PieceDepth;
                for (int d = 0; d < depth; d += piece)
                {
                    var run = HostRuns.One(Math.Min(piece, depth - d));
                    for (int row = 0; row < rows; row += RegisterTile.Rows)
                    {
                        for (int i = 0; i < RegisterTile.Rows; i++)
                            offsets[i] = Math.Min(row + i, rows - 1) * depth;
                        if (width == HostPanels.MaxWidth)
                            HostPanels.MultiplyAhead(width, from, offsets, depth, packed, sums + row * width, from + (long)(row + RegisterTile.Rows) * depth, packed);
                        else
                            HostPanels.MultiplyRuns(width, from + d, offsets, run, packed + (long)d * width, sums + row * width, d > 0);
                    }
                }
                for (int row = 0; row < rows; row++)
                    PackedPanel.Copy(sums + row * width, target + (long)row * padded + start, width);
                packed += (long)depth * width;
            }
        }

        private int RowsOf(int block) => Math.Min(HostNetVladLayout.BlockRows, Layout.Shape.N - block * HostNetVladLayout.BlockRows);

        /// <summary>A and A/‖x‖ of a block of local descriptors.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Assign(int image, int block, int worker)
        {
            var s = Layout.Shape;
            int first = block * HostNetVladLayout.BlockRows, rows = RowsOf(block), slot = Layout.Slot(image, worker), padded = Layout.PaddedK;
            float* from = X(image) + (long)first * s.D, assignment = Layout.Assignment(workspace, slot) + (long)first * padded, scaled = Layout.Scaled(workspace, slot) + (long)first * padded;
            float* inverse = Layout.Inverse(workspace, slot) + first;
            Project(from, rows, workspace + Layout.Clusters, Layout.Sums(workspace, worker), assignment);
            HostRows.Squares(from, s.D, rows, s.D, inverse);
            for (int i = 0; i < rows; i++, assignment += padded, scaled += padded)
            {
                inverse[i] = HostRows.InverseNorm(inverse[i], s.SoftFloor != 0, out _);
                HostSoftmax.Run(assignment, inverse[i], b, s.K);
                new Span<float>(assignment + s.K, padded - s.K).Clear();
                HostRows.Scale(inverse[i], assignment, scaled, padded);
            }
        }

        /// <summary>
        /// (A/‖x‖)ᵀ·X of some clusters and a panel of channels. Sums that each block of rows takes up again stand in one run until they are there: their rows in V lie a power of two apart as often as
        /// not, and few sets of the L1 cache would hold them (512 channels, 64 clusters: 1.6 times as long).
        /// </summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Sum(int image, int start, int first, int clusters, int worker)
        {
            var s = Layout.Shape;
            int slot = Layout.Slot(image, worker), width = HostColumns.Width(s.D - start);
            float* sums = Layout.Sums(workspace, worker), to = Layout.Residual(workspace, slot) + (long)first * s.D + start;
            SumRows(Layout.Scaled(workspace, slot) + first, image, start, clusters, sums, worker);
            for (int k = 0; k < clusters; k++, to += s.D)
                PackedPanel.Copy(sums + k * width, to, width);
        }

        /// <summary>to[k·width + j] = Σ_i m[i·padded K + k] x[i, start + j] for some clusters, which are filled up to whole register tiles, and a panel of channels, i in order.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void SumRows(float* matrix, int image, int start, int clusters, float* to, int worker)
        {
            var s = Layout.Shape;
            int width = HostColumns.Width(s.D - start);
            float* from = X(image) + start, panel = Layout.Columns(workspace, worker);
            new Span<float>(to, (clusters + RegisterTile.Rows - 1) / RegisterTile.Rows * RegisterTile.Rows * width).Clear();
            // Block of rows by block: its panel stays in the L1 cache for all clusters.
            for (int row = 0, rows; row < s.N; row += rows, from += (long)rows * s.D, matrix += (long)rows * Layout.PaddedK)
            {
                rows = Math.Min(HostNetVladLayout.BlockRows, s.N - row);
                // One panel of all channels is what x is.
                float* columns = width == s.D ? from : panel;
                if (columns == panel)
                    HostColumns.Gather(from, s.D, panel, width, rows, row + 2 * rows <= s.N ? from + (long)rows * s.D : null);
                HostColumns.Multiply(matrix, 1, Layout.PaddedK, clusters, columns, width, rows, to, width);
            }
        }

        /// <summary>Σ_i a_ik.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Mass(int image, int worker)
        {
            float* mass = Layout.Mass(workspace, image);
            new Span<float>(mass, Layout.Shape.K).Clear();
            HostPanels.SumRows(Layout.Assignment(workspace, Layout.Slot(image, worker)), Layout.PaddedK, Layout.Shape.N, mass, Layout.Shape.K);
        }

        /// <summary>V̂, its rows of length 1, in the place of the sums; and what they were multiplied by.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Normalise(int image, int worker)
        {
            var s = Layout.Shape;
            int slot = Layout.Slot(image, worker);
            float* mass = Layout.Mass(workspace, image), residual = Layout.Residual(workspace, slot), scale = Layout.ClusterScale(workspace, slot);
            // Some clusters at a time, lest they leave the L1 cache in between.
            for (int first = 0, count; first < s.K; first += count, residual += (long)count * s.D)
            {
                count = Math.Min(HostRows.SideBySide, s.K - first);
                for (int k = 0; k < count; k++)
                    HostRows.AddScaled(-mass[first + k], c + (long)(first + k) * s.D, residual + (long)k * s.D, s.D);
                HostRows.Squares(residual, s.D, count, s.D, scale + first);
                for (int k = 0; k < count; k++)
                {
                    float inverse = HostRows.InverseNorm(scale[first + k], s.SoftFloor != 0, out bool clamped);
                    HostRows.Scale(inverse, residual + (long)k * s.D, residual + (long)k * s.D, s.D);
                    scale[first + k] = clamped ? 0 : inverse;
                }
            }
        }

        /// <summary>All that comes before <see cref="Normalise"/>, of one image.</summary>
        public void AssignAndSum(int image, int worker)
        {
            var s = Layout.Shape;
            for (int block = 0; block < Layout.Blocks; block++)
                Assign(image, block, worker);
            for (int start = 0; start < s.D; start += HostColumns.Width(s.D - start))
                Sum(image, start, 0, s.K, worker);
            Mass(image, worker);
        }

        /// <summary>y of an image whose sums are there.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Finish(int image, int worker, float* y)
        {
            Normalise(image, worker);
            int length = Layout.Shape.K * Layout.Shape.D;
            float* from = Layout.Residual(workspace, Layout.Slot(image, worker));
            HostRows.Scale(HostRows.InverseNorm(HostRows.Dot(from, from, length), Layout.Shape.SoftFloor != 0, out _), from, y + (long)image * length, length);
        }

        /// <summary>dV of an image whose sums are there, in panels of channels and of clusters, and c·dV.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void ClusterGradient(int image, int worker, float* dy)
        {
            var s = Layout.Shape;
            int slot = Layout.Slot(image, worker), length = s.K * s.D;
            Normalise(image, worker);
            float* residual = Layout.Residual(workspace, slot), from = dy + (long)image * length, gradient = Layout.Gradient(workspace, image), row = Layout.Sums(workspace, worker);
            float* scale = Layout.ClusterScale(workspace, slot), centre = Layout.Centre(workspace, slot);
            float inverse = HostRows.InverseNorm(HostRows.SquareAndDot(residual, from, length, out float dot), s.SoftFloor != 0, out bool clamped);
            // y = V̂ · inverse, so y (y·dy) = V̂ (V̂·dy) · inverse².
            float along = dot * inverse * inverse;
            for (int k = 0; k < s.K; k++)
            {
                float* unit = residual + (long)k * s.D;
                HostRows.Project(from + (long)k * s.D, along, unit, clamped ? 0 : inverse, row, s.D);
                HostRows.Project(row, HostRows.Dot(unit, row, s.D), unit, scale[k], unit, s.D);
                centre[k] = HostRows.Dot(c + (long)k * s.D, unit, s.D);
            }
            PackChannels(residual, s, gradient);
            PackClusters(residual, s, Layout.PaddedK, Layout.PackedGradient(workspace, slot));
        }

        /// <summary>ds and dx of a block of local descriptors.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void RowGradient(int image, int block, int worker, float* dx)
        {
            var s = Layout.Shape;
            int first = block * HostNetVladLayout.BlockRows, rows = RowsOf(block), slot = Layout.Slot(image, worker), padded = Layout.PaddedK;
            float* from = X(image) + (long)first * s.D, assignment = Layout.Assignment(workspace, slot) + (long)first * padded, inverse = Layout.Inverse(workspace, slot) + first;
            float* logits = Layout.Logits(workspace, image) + (long)first * padded, scaled = Layout.ScaledLogits(workspace, image) + (long)first * padded;
            float* sums = Layout.Sums(workspace, worker), centre = Layout.Centre(workspace, slot);
            Project(from, rows, Layout.PackedGradient(workspace, slot), sums, logits);
            for (int i = 0; i < rows; i++)
            {
                float* a = assignment + (long)i * padded, ds = logits + (long)i * padded;
                HostSoftmax.Back(a, ds, inverse[i], centre, s.K);
                new Span<float>(ds + s.K, padded - s.K).Clear();
                HostRows.Scale(inverse[i], ds, scaled + (long)i * padded, padded);
            }
            if (dx == null)
                return;
            new Span<float>(sums, (rows + RegisterTile.Rows) * s.D).Clear();
            for (int start = 0, width; start < s.D; start += width)
            {
                width = HostColumns.Width(s.D - start);
                HostColumns.Multiply(assignment, padded, 1, rows, Layout.Gradient(workspace, image) + (long)start * s.K, width, s.K, sums + start, s.D);
                HostColumns.Multiply(logits, padded, 1, rows, workspace + Layout.Channels + (long)start * s.K, width, s.K, sums + start, s.D);
            }
            float* to = dx + ((long)image * s.N + first) * s.D;
            for (int i = 0; i < rows; i++)
            {
                float* unit = from + (long)i * s.D, gradient = sums + (long)i * s.D;
                float scale = HostRows.InverseNorm(HostRows.SquareAndDot(unit, gradient, s.D, out float dot), s.SoftFloor != 0, out bool clamped);
                HostRows.Project(gradient, dot * scale * scale, unit, clamped ? 0 : scale, to + (long)i * s.D, s.D);
            }
        }
    }

    private readonly struct ForwardTask(Pass pass, float* y) : IHostTask
    {
        public void Run(int tile, int worker)
        {
            pass.AssignAndSum(tile, worker);
            pass.Finish(tile, worker, y);
        }
    }

    private readonly struct BackwardTask(Pass pass, float* dy, float* dx) : IHostTask
    {
        public void Run(int tile, int worker)
        {
            pass.AssignAndSum(tile, worker);
            pass.ClusterGradient(tile, worker, dy);
            for (int block = 0; block < pass.Layout.Blocks; block++)
                pass.RowGradient(tile, block, worker, dx);
        }
    }

    private readonly struct AssignTask(Pass pass) : IHostTask
    {
        public void Run(int tile, int worker) => pass.Assign(tile / pass.Layout.Blocks, tile % pass.Layout.Blocks, worker);
    }

    /// <summary>Some clusters in a panel of channels of one image, or its mass.</summary>
    private readonly struct SumTask(Pass pass, int panels, int shares) : IHostTask
    {
        public void Run(int tile, int worker)
        {
            int parts = panels * shares + 1, image = tile / parts, part = tile % parts;
            if (part == panels * shares)
            {
                pass.Mass(image, worker);
                return;
            }
            var s = pass.Layout.Shape;
            int clusters = pass.Layout.ShareClusters(shares), first = part % shares * clusters;
            if (first < s.K)
                pass.Sum(image, HostColumns.Start(s.D, part / shares), first, Math.Min(clusters, s.K - first), worker);
        }
    }

    private readonly struct FinishTask(Pass pass, float* y) : IHostTask
    {
        public void Run(int tile, int worker) => pass.Finish(tile, worker, y);
    }

    private readonly struct ClusterGradientTask(Pass pass, float* dy) : IHostTask
    {
        public void Run(int tile, int worker) => pass.ClusterGradient(tile, worker, dy);
    }

    private readonly struct RowGradientTask(Pass pass, float* dx) : IHostTask
    {
        public void Run(int tile, int worker) => pass.RowGradient(tile / pass.Layout.Blocks, tile % pass.Layout.Blocks, worker, dx);
    }

    /// <summary>dw and dc of some clusters in a panel of channels, or db: the images in order.</summary>
    private readonly struct WeightGradientTask(Pass pass, int panels, int shares, float* dw, float* db, float* dc) : IHostTask
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int tile, int worker)
        {
            var layout = pass.Layout;
            var s = layout.Shape;
            if (tile == panels * shares)
            {
                Bias(worker);
                return;
            }
            int share = layout.ShareClusters(shares), first = tile % shares * share, start = HostColumns.Start(s.D, tile / shares), width = HostColumns.Width(s.D - start);
            if (first >= s.K)
                return;
            int clusters = Math.Min(share, s.K - first);
            float* weights = layout.Sums(pass.Workspace, worker), centres = weights + clusters * width, sums = centres + clusters * width;
            new Span<float>(weights, 2 * clusters * width).Clear();
            for (int image = 0; image < s.B; image++)
            {
                float* gradient = layout.Gradient(pass.Workspace, image) + (long)start * s.K + first * width, mass = layout.Mass(pass.Workspace, image) + first;
                HostPrefetch.Far(gradient, clusters * width);
                pass.SumRows(layout.ScaledLogits(pass.Workspace, image) + first, image, start, clusters, sums, worker);
                HostRows.AddScaled(1, sums, weights, clusters * width);
                for (int k = 0; k < clusters; k++)
                    HostRows.AddScaled(-mass[k], gradient + k * width, centres + k * width, width);
            }
            for (int k = 0; k < clusters; k++)
            {
                long place = (long)(first + k) * s.D + start;
                new ReadOnlySpan<float>(weights + k * width, width).CopyTo(new(dw + place, width));
                new ReadOnlySpan<float>(centres + k * width, width).CopyTo(new(dc + place, width));
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Bias(int worker)
        {
            var layout = pass.Layout;
            var s = layout.Shape;
            float* sum = layout.Sums(pass.Workspace, worker);
            new Span<float>(db, s.K).Clear();
            for (int image = 0; image < s.B; image++)
            {
                new Span<float>(sum, s.K).Clear();
                HostPanels.SumRows(layout.Logits(pass.Workspace, image), layout.PaddedK, s.N, sum, s.K);
                HostRows.AddScaled(1, sum, db, s.K);
            }
        }
    }
}
