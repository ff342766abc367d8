using IlgpuNetVlad.Engine.Layers;
using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Engine.Weights;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Models;

/// <summary>Reads networks, or parts of them, from one safetensors file; every fault is one sentence that names the file and the tensor.</summary>
internal sealed class NetworkReader(string path)
{
    private const string Centroids = "pool.centroids", Assignment = "pool.conv.weight", AssignmentBias = "pool.conv.bias";

    /// <inheritdoc cref="Network.Load"/>
    public Network Read(Device device, NetworkSettings? overrides, Backbone? backbone)
    {
        // A classifier may be most of a file: nothing is read before it is known to be of use.
        var file = SafetensorsFile.Read(path, name => name is Centroids or Assignment or AssignmentBias);
        var stored = NetworkMetadata.IsPresent(file.Metadata) ? NetworkMetadata.Parse(file.Metadata, path) : null;
        var settings = overrides ?? stored
            ?? throw new UserErrorException($"{path} holds weights but does not say of which network: name its backbone and the pooling.");
        if (backbone is null && overrides is null && Backbone.All.All(b => b.Name != settings.Backbone))
            throw new UserErrorException(
                $"{path} is of the backbone {settings.Backbone}, which is not known here: known are {string.Join(", ", Backbone.All.Select(b => b.Name))}.");
        // Other clusters than these settings ask for are of no use to them.
        bool samePooling = stored is null || stored.Pooling == settings.Pooling;
        bool clusters = settings.Pooling.HasClusters() && samePooling && file.Tensors.Count > 0;
        if (clusters)
            settings = settings with { Clusters = CountClusters(file, settings.Pooling) };
        var network = new Network(device, settings, backbone);
        try
        {
            ReadInto(clusters ? network.Parameters : network.TrunkParameters);
            network.ClustersInitialised |= clusters;
            if (samePooling)
                network.Pca = ReadPca(network.PooledLength);
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>Fills parameters from the tensors of their names.</summary>
    public void ReadInto(IEnumerable<Parameter> parameters)
    {
        using var file = SafetensorsReader.Open(path);
        var entries = file.Header.Entries.ToDictionary(e => e.Name);
        var wanted = parameters.Select(p => (Parameter: p, Entry: entries.TryGetValue(p.Name, out var entry) ? entry : throw Lacks(p.Name))).ToArray();
        foreach (var (parameter, entry) in wanted)
            CheckKind(entry.Name, entry.Shape, entry.Type, parameter.FileShape);
        // Nothing is written before everything was found good, so that a failure leaves a network as it was. The file is read twice for that, portion by portion: weights and a copy of them would
        // be the most that many a process ever takes.
        foreach (var (parameter, entry) in wanted)
            file.Read(entry, (_, numbers) => CheckFinite(parameter.Name, numbers));
        foreach (var (parameter, entry) in wanted)
            parameter.Load(file.Stored(entry));
    }

    private int CountClusters(SafetensorsFile file, PoolingKind pooling)
    {
        if (pooling == PoolingKind.NetVlad && file.Find(AssignmentBias) is not null)
            throw new UserErrorException($"{path} holds {AssignmentBias}, so its pooling is {PoolingKind.NetVladV2.Name()}, not {pooling.Name()}: name that one.");
        var centres = file.Find(Centroids) ?? throw Lacks(Centroids);
        return centres.Shape is [> 0, ..] ? centres.Shape[0] : throw WrongShape(Centroids, centres.Shape, "[K, D]");
    }

    private Projection? ReadPca(int length)
    {
        var file = SafetensorsFile.Read(path, name => name is PcaNames.Weight or PcaNames.Bias or PcaNames.Eigenvalues);
        if (file.Tensors.Count == 0)
            return null;
        var weight = file.Find(PcaNames.Weight) ?? throw Lacks(PcaNames.Weight);
        if (weight.Shape is not [> 0, ..])
            throw WrongShape(PcaNames.Weight, weight.Shape, $"[d, {length}]");
        int dimension = weight.Shape[0];
        return new(
            length, dimension,
            Values(file, PcaNames.Weight, [dimension, length]), Values(file, PcaNames.Bias, [dimension]),
            file.Find(PcaNames.Eigenvalues) is null ? [] : Values(file, PcaNames.Eigenvalues, [dimension]));
    }

    /// <summary>The numbers of a tensor, which must be of this shape.</summary>
    private float[] Values(SafetensorsFile file, string name, int[] shape)
    {
        var tensor = file.Find(name) ?? throw Lacks(name);
        CheckKind(name, tensor.Shape, SafetensorsType.Find(tensor.Type)!, shape);
        CheckFinite(name, tensor.Values);
        return tensor.Values;
    }

    private void CheckKind(string name, int[] shape, SafetensorsType type, int[] must)
    {
        if (!Trimmed(shape).SequenceEqual(Trimmed(must)))
            throw WrongShape(name, shape, $"[{string.Join(", ", must)}]");
        if (type.IsInteger)
            throw new UserErrorException($"{name} in {path} holds whole numbers ({type.Name}) where weights must be: it is not a network's, or quantised; take one in F32.");
    }

    private void CheckFinite(string name, ReadOnlySpan<float> numbers)
    {
        foreach (float x in numbers)
            if (!float.IsFinite(x))
                throw new UserErrorException($"{name} in {path} holds NaN or infinity, so the network would answer nothing: take the weights of an earlier epoch.");
    }

    /// <summary>The shape without ones at its end: a 1×1 convolution's weight may be stored as a matrix.</summary>
    private static IEnumerable<int> Trimmed(int[] shape) => shape.Reverse().SkipWhile(n => n == 1).Reverse();

    private UserErrorException Lacks(string name) => new($"{path} lacks {name}: it belongs to another network, or is incomplete; name the right backbone and pooling.");

    private UserErrorException WrongShape(string name, int[] shape, string must)
        => new($"{name} in {path} is of shape [{string.Join(", ", shape)}] and must be {must}: it belongs to another network; name the right backbone and pooling.");
}
