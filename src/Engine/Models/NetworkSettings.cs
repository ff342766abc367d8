using IlgpuNetVlad.Engine.Data;

namespace IlgpuNetVlad.Engine.Models;

/// <summary>What a network is, beside its numbers; stored with them.</summary>
public sealed record NetworkSettings
{
    /// <summary>One of <see cref="Backbones.Names"/>.</summary>
    public string Backbone { get; init; } = Backbones.City;

    public PoolingKind Pooling { get; init; } = PoolingKind.NetVlad;

    /// <summary>K, 1 or more; NetVLAD only.</summary>
    public int Clusters { get; init; } = 64;

    /// <summary>The last convolution's ReLU stays; 1511.07247 crops before it.</summary>
    public bool KeepRelu { get; init; }

    /// <summary>Norms are √(‖v‖² + 1e-12) as in MatConvNet, not max(‖v‖, 1e-12).</summary>
    public bool SoftFloor { get; init; }

    public Preprocessing Preprocessing { get; init; } = Preprocessing.City;

    /// <summary>The image size that the network was made for.</summary>
    public ResizePolicy Resize { get; init; } = ResizePolicy.Native;
}
