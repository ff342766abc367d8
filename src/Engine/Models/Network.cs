using IlgpuNetVlad.Engine.Layers;
using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Models;

/// <summary>
/// A trunk, cropped at its last convolution, and a pooling layer whose result has unit length (1511.07247, section 3): the list of layers is the graph.
/// </summary>
public sealed class Network : IDisposable
{
    private Network(Device device, NetworkSettings settings)
    {
        Device = device;
        Settings = settings;
        var trunk = Backbones.Create(device, settings.Backbone, settings.KeepRelu);
        LocalDimension = trunk.Aggregate(new MapShape(512, 512, 3), (shape, layer) => layer.Output(shape)).Channels;
        if (settings.Clusters < 1)
            throw new UserErrorException($"NetVLAD cannot have {settings.Clusters} clusters: give 1 or more.");
        Pooling = new NetVladLayer(device, settings.Clusters, LocalDimension, settings.Pooling == PoolingKind.NetVladV2, settings.SoftFloor);
        Layers = [.. trunk, Pooling];
        Parameters = [.. Layers.SelectMany(l => l.Parameters)];
        PooledLength = Pooling.Output(new(1, 1, LocalDimension)).Channels;
        ClustersInitialised = Pooling is not NetVladLayer;
    }

    /// <summary>A network with random weights after He et al. (1502.01852); NetVLAD's clusters are still to be found.</summary>
    public static Network Create(Device device, NetworkSettings settings, ulong seed)
    {
        var network = new Network(device, settings);
        HeInitialisation.Fill(network.Parameters.Where(p => p.Layer != network.Pooling.Name), seed);
        return network;
    }

    /// <summary>Reads a network from a file that <see cref="Save"/> wrote, or from a trunk's file, for which settings must be given.</summary>
    /// <param name="overrides">Instead of the settings in the file.</param>
    /// <exception cref="UserErrorException">The file is broken, lacks a parameter, or has no settings and none are given.</exception>
    public static Network Load(Device device, string path, NetworkSettings? overrides = null) => NetworkFile.Load(device, path, overrides, s => new Network(device, s));

    public Device Device { get; }
    public NetworkSettings Settings { get; }

    /// <summary>In the order of the forward pass; the pooling layer is the last.</summary>
    public IReadOnlyList<Layer> Layers { get; }

    public Layer Pooling { get; }
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>D, channels of the last map.</summary>
    public int LocalDimension { get; }

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

    /// <summary>Gives NetVLAD its clusters: centres [K, D] and sharpness.</summary>
    public void SetClusters(ReadOnlySpan<float> centroids, float alpha)
    {
        if (Pooling is not NetVladLayer layer)
            throw new InvalidOperationException($"{Settings.Pooling} pooling has no clusters.");
        layer.Set(centroids, alpha);
        ClustersInitialised = true;
    }

    /// <summary>Memory for passes of at most so many images of one size; with training also the way back to a layer.</summary>
    /// <param name="trainFrom">First layer that learns; null for all.</param>
    /// <exception cref="UserErrorException">No such layer, or images too small.</exception>
    public NetworkPlan Plan(int maxImages, int height, int width, string? trainFrom = null, bool training = false)
        => new(this, PlanLayout.Of(this, maxImages, height, width, FirstTrained(trainFrom, training)));

    /// <summary>Bytes that <see cref="Plan"/> would take on the device.</summary>
    public long PlanBytes(int maxImages, int height, int width, string? trainFrom = null, bool training = false)
        => PlanLayout.Of(this, maxImages, height, width, FirstTrained(trainFrom, training)).Total * sizeof(float);

    public void Save(string path) => NetworkFile.Save(this, path);

    /// <summary>Takes the trunk's weights from a file, such as one trained for another task; the pooling layer stays.</summary>
    public void LoadTrunk(string path) => NetworkFile.LoadTrunk(this, path);

    /// <summary>Index of the first layer that learns; the number of layers where none does.</summary>
    private int FirstTrained(string? trainFrom, bool training)
    {
        if (!training)
            return Layers.Count;
        if (trainFrom is null)
            return 0;
        int found = Layers.ToList().FindIndex(l => l.Name == trainFrom || l.Alias == trainFrom);
        // "conv5" names a block: its first layer.
        if (found < 0)
            found = Layers.ToList().FindIndex(l => l.Alias is { } alias && alias.StartsWith(trainFrom + "_", StringComparison.Ordinal));
        if (found < 0 || (Layers[found].Parameters.Count == 0 && found < Layers.Count - 1))
            throw new UserErrorException($"There is no layer {trainFrom} to train from: name one of {string.Join(", ", TrainableLayers)}.");
        return found;
    }

    public void Dispose()
    {
        foreach (var layer in Layers)
            layer.Dispose();
    }
}
