namespace IlgpuNetVlad.Kernels;

/// <summary>
/// Where things lie in the workspace of the Host variant of NetVLAD. What only one image needs has as many places as images are in work at once: one a worker where an image is one task
/// (<see cref="ByImage"/>), so that it stays in that core's cache; one an image where all threads share each image.
/// </summary>
internal readonly unsafe struct HostNetVladLayout(NetVladShape shape, int threads, bool backward)
{
    /// <summary>Local descriptors that are assigned, or take their gradient, together.</summary>
    public const int BlockRows = 96;

    public readonly NetVladShape Shape = shape;

    /// <summary>An image is one task, from its local descriptors to its descriptor or gradients: there are enough of them for all threads.</summary>
    public bool ByImage => Shape.B >= 2 * threads;

    private int Slots => ByImage ? threads : Shape.B;

    public int Slot(int image, int worker) => ByImage ? worker : image;

    /// <summary>Clusters with the padding of the last panel: the row length of A and dS.</summary>
    public readonly int PaddedK = HostPanels.Padded(shape.K);

    /// <summary>Clusters with the padding of the last register tile.</summary>
    private int TileK => (Shape.K + RegisterTile.Rows - 1) / RegisterTile.Rows * RegisterTile.Rows;

    /// <summary>Blocks of an image's local descriptors.</summary>
    public int Blocks => (Shape.N + BlockRows - 1) / BlockRows;

    /// <summary>w in panels of clusters [panel][D][width], and backward in panels of channels [panel][K][width].</summary>
    public long Clusters => 0;
    public long Channels => Clusters + (long)Shape.D * PaddedK;

    /// <summary>Of one image: A and A/‖x‖ [N, padded K], 1/‖x‖ [N], V then V̂, backward dV in its place [K, D], 1/‖V_k‖ [K], backward c·dV [K] and dV in panels of clusters.</summary>
    private long SlotsAt => Channels + (backward ? (long)Shape.K * Shape.D : 0);

    public float* Assignment(float* workspace, int slot) => workspace + SlotsAt + slot * SlotFloats;

    public float* Scaled(float* workspace, int slot) => Assignment(workspace, slot) + (long)Shape.N * PaddedK;

    public float* Inverse(float* workspace, int slot) => Scaled(workspace, slot) + (long)Shape.N * PaddedK;

    public float* Residual(float* workspace, int slot) => Inverse(workspace, slot) + Shape.N;

    public float* ClusterScale(float* workspace, int slot) => Residual(workspace, slot) + (long)Shape.K * Shape.D;

    public float* Centre(float* workspace, int slot) => ClusterScale(workspace, slot) + Shape.K;

    public float* PackedGradient(float* workspace, int slot) => Centre(workspace, slot) + Shape.K;

    private long SlotFloats => 2L * Shape.N * PaddedK + Shape.N + (long)Shape.K * Shape.D + Shape.K + (backward ? Shape.K + (long)Shape.D * PaddedK : 0);

    /// <summary>Of all images: Σa [K]; backward dS and dS/‖x‖ [N, padded K], and dV in panels of channels.</summary>
    private long ImagesAt => SlotsAt + Slots * SlotFloats;

    public float* Mass(float* workspace, int image) => workspace + ImagesAt + (long)image * Shape.K;

    public float* Logits(float* workspace, int image) => Mass(workspace, Shape.B) + (long)image * Shape.N * PaddedK;

    public float* ScaledLogits(float* workspace, int image) => Logits(workspace, Shape.B) + (long)image * Shape.N * PaddedK;

    public float* Gradient(float* workspace, int image) => ScaledLogits(workspace, Shape.B) + (long)image * Shape.K * Shape.D;

    private long WorkersAt => ImagesAt + (long)Shape.B * Shape.K + (backward ? 2L * Shape.B * Shape.N * PaddedK + (long)Shape.B * Shape.K * Shape.D : 0);

    /// <summary>A worker's columns of a matrix that are multiplied together, and sums: of a block of rows, or of the clusters' gradients in one panel.</summary>
    public float* Columns(float* workspace, int worker) => workspace + WorkersAt + worker * WorkerFloats;

    public float* Sums(float* workspace, int worker) => Columns(workspace, worker) + ColumnFloats;

    private long ColumnFloats => (long)Math.Max(BlockRows, Shape.K) * HostPanels.MaxWidth;

    private long SumFloats => Math.Max((BlockRows + RegisterTile.Rows) * (long)Math.Max(HostPanels.MaxWidth, backward ? Shape.D : 0), (TileK + 2L * Shape.K) * HostPanels.MaxWidth);

    private long WorkerFloats => ColumnFloats + SumFloats;

    public long Total => WorkersAt + threads * WorkerFloats;

    /// <summary>Parts into which the clusters of a panel of channels are cut, so that there are two tasks for each thread, if <paramref name="panels"/> panels are not enough.</summary>
    public int Shares(int panels) => Math.Max(1, Math.Min((2 * threads + panels - 1) / panels, TileK / RegisterTile.Rows));

    /// <summary>Clusters of a part: whole register tiles, the last one may have fewer.</summary>
    public int ShareClusters(int shares) => (TileK / RegisterTile.Rows + shares - 1) / shares * RegisterTile.Rows;
}
