using IlgpuNetVlad.Engine.Layers;
using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Models;

/// <summary>
/// A trunk, cropped at its last convolution, and a pooling layer whose result has unit length (1511.07247, section 3): the list of layers is
/// the graph. One thread at a time may use it, and its device. Dispose of plans, extractions and indices first, then of it, then of its device.
/// </summary>
public sealed class Network : IDisposable
{
    internal Network(Device device, NetworkSettings settings, Backbone? backbone)
    {
        backbone ??= Backbone.Named(settings.Backbone);
        if (settings.Pooling.HasClusters() && settings.Clusters < 1)
            throw new UserErrorException($"NetVLAD cannot have {settings.Clusters} clusters: give 1 or more.");
        Device = device;
        Settings = settings with { Backbone = backbone.Name, CeilPooling = settings.CeilPooling ?? backbone.CeilPooling };
        var trunk = backbone.Layers(device, Settings);
        // Any size will do to learn how many channels come out.
        LocalDimension = trunk.Aggregate(new MapShape(512, 512, 3), (shape, layer) => layer.Output(shape)).Channels;
        Pooling = settings.Pooling.HasClusters()
            ? new NetVladLayer(device, settings.Clusters, LocalDimension, settings.Pooling == PoolingKind.NetVladV2, settings.SoftFloor)
            : new GlobalPoolingLayer(settings.Pooling == PoolingKind.Max, settings.SoftFloor);
        Layers = [.. trunk, Pooling];
        Parameters = [.. Layers.SelectMany(l => l.Parameters)];
        PooledLength = Pooling.Output(new(1, 1, LocalDimension)).Channels;
        ClustersInitialised = !settings.Pooling.HasClusters();
    }

    /// <summary>A network with random weights after He et al. (1502.01852); NetVLAD's clusters are still to be found.</summary>
    /// <param name="seed">The same seed gives the same weights on every machine.</param>
    /// <param name="backbone">A trunk of the user's own, instead of the one that the settings name.</param>
    /// <exception cref="UserErrorException">The settings name no backbone, or less than one cluster.</exception>
    public static Network Create(Device device, NetworkSettings settings, ulong seed, Backbone? backbone = null)
    {
        var network = new Network(device, settings, backbone);
        HeInitialisation.Fill(network.TrunkParameters, seed);
        return network;
    }

    /// <summary>
    /// Reads a network from a file that <see cref="Save"/> wrote, or from one that has only weights (a trunk, perhaps with clusters) under
    /// torchvision's names, for which settings must be given.
    /// </summary>
    /// <param name="overrides">Instead of the settings in the file. The number of clusters is the file's where its clusters are used.</param>
    /// <param name="backbone">A trunk of the user's own, instead of the one that the settings name.</param>
    /// <exception cref="UserErrorException">
    /// The file is broken, lacks a parameter, holds one of another shape or type or one that is not finite, or no settings are known.
    /// </exception>
    public static Network Load(Device device, string path, NetworkSettings? overrides = null, Backbone? backbone = null)
        => new NetworkReader(path).Read(device, overrides, backbone);

    public Device Device { get; }

    /// <summary>As given or read; the rounding of pooling windows is decided.</summary>
    public NetworkSettings Settings { get; }

    /// <summary>In the order of the forward pass; the pooling layer is the last.</summary>
    public IReadOnlyList<Layer> Layers { get; }

    public Layer Pooling { get; }

    /// <summary>Of all layers, in their order.</summary>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>D, channels of the last map.</summary>
    public int LocalDimension { get; }

    /// <summary>Pixels along each side of the image that one local descriptor sees: 196 of VGG-16.</summary>
    public int ReceptiveField
    {
        get
        {
            int seen = 1, step = 1;
            foreach (var layer in Layers.SkipLast(1))
            {
                seen += (layer.Field.Window - 1) * step;
                step *= layer.Field.Stride;
            }
            return seen;
        }
    }

    /// <summary>Numbers of a descriptor before PCA: D, or K·D.</summary>
    public int PooledLength { get; }

    /// <summary>Numbers of a descriptor after PCA, if there is one.</summary>
    public int DescriptorLength => Pca?.OutputLength ?? PooledLength;

    /// <summary>False until NetVLAD has its clusters; a forward pass refuses to run before.</summary>
    public bool ClustersInitialised { get; internal set; }

    /// <summary>Follows the pooling layer where it is not null.</summary>
    public Projection? Pca { get; set; }

    /// <summary>Names that training may begin at, in the order of the layers, with those that people use.</summary>
    public IReadOnlyList<string> TrainableLayers
        => [.. Layers.Where(l => l.Parameters.Count > 0).SelectMany(l => l.Alias is null ? new[] { l.Name } : [l.Name, l.Alias])];

    internal IEnumerable<Parameter> TrunkParameters => Parameters.Where(p => p.Layer != Pooling.Name);

    /// <summary>Gives NetVLAD its clusters: w = α·ĉ (V1), or w = 2αc, b = −α‖c‖² (V2).</summary>
    /// <param name="centroids">c [K, D]</param>
    /// <param name="alpha">α, finite and above 0.</param>
    public void SetClusters(ReadOnlySpan<float> centroids, float alpha)
    {
        if (Pooling is not NetVladLayer layer)
            throw new InvalidOperationException($"Pooling {Settings.Pooling.Name()} has no clusters.");
        layer.Set(centroids, alpha);
        ClustersInitialised = true;
    }

    /// <summary>Memory for passes of at most so many images of one size; with training also for the way back to a layer.</summary>
    /// <param name="trainFrom">First layer that learns, by a name of <see cref="TrainableLayers"/> or a block's, such as <c>conv5</c>; null for all.</param>
    /// <param name="pixels">Images come as they were decoded, in 8 bits (<see cref="Data.PixelImage.CopyTo"/>), and not as <see cref="Data.Preprocessing.Apply"/> writes them: a quarter of the memory, and the same results.</param>
    /// <exception cref="UserErrorException">No such layer, images too small, or too many at once.</exception>
    public NetworkPlan Plan(int maxImages, int height, int width, string? trainFrom = null, bool training = false, bool pixels = false)
        => Plan(PlanPart.Whole, maxImages, height, width, trainFrom, training, pixels);

    /// <summary>Memory for passes without a way back, from pixels, that shares what layers make of their parameters with other plans.</summary>
    internal NetworkPlan Plan(int maxImages, int height, int width, PreparedParameters shared)
        => new(this, PlanLayout.Of(this, PlanPart.Whole, maxImages, height, width, 0, training: false, pixels: true), shared);

    /// <summary>Bytes of the largest of some plans that follow each other and share what layers make of their parameters, and of that.</summary>
    internal long PlanBytes(IEnumerable<(int MaxImages, int Height, int Width)> plans)
    {
        var layouts = plans.Select(p => PlanLayout.Of(this, PlanPart.Whole, p.MaxImages, p.Height, p.Width, 0, training: false, pixels: true)).ToArray();
        return (layouts.Max(l => l.Block) + layouts.SelectMany(l => l.Shared).Distinct().Sum(s => s?.Length ?? 0)) * sizeof(float);
    }

    /// <summary>The same for a part of the layers.</summary>
    internal NetworkPlan Plan(PlanPart part, int maxImages, int height, int width, string? trainFrom, bool training, bool pixels = false)
        => new(this, PlanLayout.Of(this, part, maxImages, height, width, FirstLearning(trainFrom), training, pixels));

    /// <summary>Bytes that <see cref="Plan"/> would allocate on the device now: the plan's, and gradients and velocities that are not there yet.</summary>
    /// <inheritdoc cref="Plan"/>
    public long PlanBytes(int maxImages, int height, int width, string? trainFrom = null, bool training = false, bool pixels = false)
        => PlanBytes(PlanPart.Whole, maxImages, height, width, trainFrom, training, pixels);

    internal long PlanBytes(PlanPart part, int maxImages, int height, int width, string? trainFrom, bool training, bool pixels = false)
    {
        int first = FirstLearning(trainFrom);
        long learning = training ? Layers.Skip(first).SelectMany(l => l.Parameters).Where(p => !p.IsTrained).Sum(p => 2 * p.Length) : 0;
        return (PlanLayout.Of(this, part, maxImages, height, width, first, training, pixels).Total + learning) * sizeof(float);
    }

    /// <summary>Writes one file that is complete in itself: weights, clusters, PCA, settings. Written aside, then renamed.</summary>
    /// <exception cref="UserErrorException">The file cannot be written.</exception>
    public void Save(string path) => NetworkWriter.Write(this, path);

    /// <summary>Takes the trunk's weights from a file, such as one trained for another task; the pooling layer stays as it is.</summary>
    /// <exception cref="UserErrorException">As of <see cref="Load"/>.</exception>
    public void LoadTrunk(string path) => new NetworkReader(path).ReadInto(TrunkParameters);

    /// <summary>Index of the layer that training begins at.</summary>
    /// <exception cref="UserErrorException">There is no such layer, or nothing to learn in it.</exception>
    internal int FirstLearning(string? trainFrom)
    {
        if (trainFrom is null)
            return 0;
        int found = IndexOf(l => l.Name == trainFrom || l.Alias == trainFrom);
        // "conv5" names a block: its first layer.
        if (found < 0)
            found = IndexOf(l => l.Parameters.Count > 0 && l.Alias?.StartsWith(trainFrom + "_", StringComparison.Ordinal) == true);
        if (found < 0 || Layers[found].Parameters.Count == 0)
            throw new UserErrorException(
                $"There is {(found < 0 ? "no layer" : "nothing to learn in layer")} {trainFrom}: train from one of {string.Join(", ", TrainableLayers)}.");
        return found;
    }

    private int IndexOf(Func<Layer, bool> condition)
    {
        for (int i = 0; i < Layers.Count; i++)
            if (condition(Layers[i]))
                return i;
        return -1;
    }

    public void Dispose()
    {
        foreach (var layer in Layers)
            layer.Dispose();
    }
}
