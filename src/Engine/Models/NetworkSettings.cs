using IlgpuNetVlad.Engine.Data;

namespace IlgpuNetVlad.Engine.Models;

/// <summary>What a network is, beside its numbers; stored with them.</summary>
public sealed record NetworkSettings
{
    /// <summary>Name of one of <see cref="Models.Backbone.All"/>, or of a backbone of the user's own.</summary>
    public string Backbone { get; init; } = "city";

    public PoolingKind Pooling { get; init; } = PoolingKind.NetVlad;

    /// <summary>K, 1 or more; NetVLAD only.</summary>
    public int Clusters { get; init; } = 64;

    /// <summary>The last convolution's ReLU stays; 1511.07247 crops before it.</summary>
    public bool KeepRelu { get; init; }

    /// <summary>Norms are √(‖v‖² + 1e-12) as in MatConvNet, not max(‖v‖, 1e-12).</summary>
    public bool SoftFloor { get; init; }

    /// <summary>Pooling windows of the trunk that reach over the border are cut (true) or dropped; null for the backbone's own rule.</summary>
    public bool? CeilPooling { get; init; }

    /// <summary>k of local response normalisation: 1 in Caffe's networks, 2 in the paper that introduced it.</summary>
    public float ResponseOffset { get; init; } = 1;

    public Preprocessing Preprocessing { get; init; } = Preprocessing.City;

    /// <summary>The image size that the network was made for.</summary>
    public ResizePolicy Resize { get; init; } = ResizePolicy.Native;

    /// <summary>The rule for pooling windows, known once a network was made of the settings.</summary>
    internal bool RoundsUp => CeilPooling ?? throw new InvalidOperationException("The rounding of pooling windows is not decided yet.");

    /// <summary>Settings with the preprocessing that a backbone's published weights take.</summary>
    /// <exception cref="UserErrorException">There is no such backbone.</exception>
    public static NetworkSettings For(string backbone) => new() { Backbone = backbone, Preprocessing = Models.Backbone.Named(backbone).Preprocessing };
}
