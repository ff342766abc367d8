using IlgpuNetVlad.Engine.Layers;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Conversion;

/// <summary>The layers of a backbone, made to be compared with what a file holds.</summary>
internal sealed class CandidateTrunk : IDisposable
{
    public CandidateTrunk(Device device, Backbone backbone)
    {
        Backbone = backbone;
        Layers = backbone.Layers(device, new() { Backbone = backbone.Name, CeilPooling = backbone.CeilPooling });
    }

    public Backbone Backbone { get; }
    public IReadOnlyList<Layer> Layers { get; }

    /// <summary>Of all layers, in their order.</summary>
    public IEnumerable<Parameter> Parameters => Layers.SelectMany(l => l.Parameters);

    /// <summary>Channels of the last map.</summary>
    public int Channels => Layers.Aggregate(new MapShape(512, 512, 3), (shape, layer) => layer.Output(shape)).Channels;

    public void Dispose()
    {
        foreach (var layer in Layers)
            layer.Dispose();
    }
}
