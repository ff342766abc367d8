using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Weights;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Models;

/// <summary>
/// A network as a user asks for it: a file of weights, a backbone by name, or both, and what shall differ from the file's own settings. Whatever is null
/// is left to the file, and to the backbone's defaults where the file does not say.
/// </summary>
public sealed record NetworkRequest
{
    /// <summary>A whole network's file, or a trunk's; null starts from random weights.</summary>
    public string? Weights { get; init; }

    /// <summary>Needed where the weights do not name one.</summary>
    public string? Backbone { get; init; }

    public PoolingKind? Pooling { get; init; }
    public int? Clusters { get; init; }
    public bool? KeepRelu { get; init; }
    public bool? SoftFloor { get; init; }
    public bool? CeilPooling { get; init; }
    public float? ResponseOffset { get; init; }

    /// <summary>As <see cref="ResizePolicy.Parse"/> reads it.</summary>
    public string? Resize { get; init; }

    /// <summary>Makes the network. NetVLAD's clusters may still have to be found: see <see cref="Network.ClustersInitialised"/>.</summary>
    /// <param name="seed">Of random weights.</param>
    /// <exception cref="UserErrorException">The file and the wishes do not fit, or say too little.</exception>
    public Network Open(Device device, ulong seed)
    {
        var settings = Settings();
        if (Weights is null)
            return Network.Create(device, settings, seed);
        var network = Network.Load(device, Weights, settings);
        if (Clusters is { } asked && network.Settings.Pooling.HasClusters() && network.Settings.Clusters != asked)
        {
            int found = network.Settings.Clusters;
            network.Dispose();
            throw new UserErrorException($"{Weights} holds {found} clusters, not {asked}: leave the number out, or start from weights without clusters.");
        }
        return network;
    }

    private NetworkSettings Settings()
    {
        var settings = Stored() ?? NetworkSettings.For(Backbone ?? "city");
        return settings with
        {
            Pooling = Pooling ?? settings.Pooling,
            Clusters = Clusters ?? settings.Clusters,
            KeepRelu = KeepRelu ?? settings.KeepRelu,
            SoftFloor = SoftFloor ?? settings.SoftFloor,
            CeilPooling = CeilPooling ?? settings.CeilPooling,
            ResponseOffset = ResponseOffset ?? settings.ResponseOffset,
            Resize = Resize is null ? settings.Resize : ResizePolicy.Parse(Resize),
        };
    }

    /// <summary>What the file says of itself; null where it is a bare trunk or there is none.</summary>
    private NetworkSettings? Stored()
    {
        if (Weights is null)
            return null;
        var metadata = SafetensorsFile.Read(Weights, _ => false).Metadata;
        if (!NetworkMetadata.IsPresent(metadata))
            return Backbone is null
                ? throw new UserErrorException($"{Weights} holds weights but does not say of which network: name it with --backbone.")
                : null;
        var stored = NetworkMetadata.Parse(metadata, Weights);
        return Backbone is null || Backbone == stored.Backbone
            ? stored
            : throw new UserErrorException($"{Weights} holds a {stored.Backbone} network, not {Backbone}: leave --backbone out, or name other weights.");
    }
}
