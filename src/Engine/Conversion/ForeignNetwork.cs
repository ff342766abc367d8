using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Retrieval;

namespace IlgpuNetVlad.Engine.Conversion;

/// <summary>A network as a file of others holds it, in this engine's names and orders; its numbers are read when they are wanted.</summary>
/// <param name="Source">What kind of file it is, for people: "MatConvNet, as the authors of NetVLAD".</param>
/// <param name="Backbone">The trunk that its convolutions are of.</param>
/// <param name="Settings">All that the file says or its kind implies.</param>
/// <param name="Parameters">Reads each parameter that the file has, by this engine's name, in its files' order of numbers.</param>
/// <param name="HasClusters">Whether NetVLAD's are among them.</param>
internal sealed record ForeignNetwork(string Source, Backbone Backbone, NetworkSettings Settings, IReadOnlyDictionary<string, Func<float[]>> Parameters, bool HasClusters)
{
    /// <summary>Reads the projection behind the pooling layer; null where there is none.</summary>
    public Func<Projection>? Pca { get; init; }

    /// <summary>What the file holds beside that and is of no use here, such as a classifier.</summary>
    public IReadOnlyList<string> LeftOut { get; init; } = [];
}
