using System.Globalization;
using System.Text.Json;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Layers;
using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Engine.Weights;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Models;

/// <summary>A network as one safetensors file: tensors named and shaped as in PyTorch, settings as JSON in its metadata.</summary>
internal static class NetworkFile
{
    private const string SettingsKey = "netvlad";

    private sealed record Stored(
        string Backbone, string Pooling, int Clusters, bool KeepRelu, bool SoftFloor, float[] Mean, float[] Scale, string Resize, bool ClustersInitialised);

    public static void Save(Network network, string path)
    {
        var s = network.Settings;
        var stored = new Stored(
            s.Backbone, s.Pooling.ToString(), s.Clusters, s.KeepRelu, s.SoftFloor, s.Preprocessing.Mean, s.Preprocessing.Scale, s.Resize.ToString(),
            network.ClustersInitialised);
        var tensors = network.Parameters.Select(p => new SafetensorsTensor(p.Name, p.FileShape, p.Read())).ToList();
        if (network.Pca is { } pca)
        {
            tensors.Add(new("pca.weight", [pca.OutputLength, pca.InputLength], pca.Weight));
            tensors.Add(new("pca.bias", [pca.OutputLength], pca.Bias));
            tensors.Add(new("pca.eigenvalues", [pca.OutputLength], pca.Eigenvalues));
        }
        SafetensorsFile.Write(path, tensors, new Dictionary<string, string> { [SettingsKey] = JsonSerializer.Serialize(stored) });
    }

    public static Network Load(Device device, string path, NetworkSettings? overrides, Func<NetworkSettings, Network> create)
    {
        var file = SafetensorsFile.Read(path);
        var stored = Settings(file, path);
        var settings = overrides ?? (stored is null
            ? throw new UserErrorException($"{path} holds weights but does not say of which network: name it with --backbone and --pooling.")
            : new NetworkSettings
            {
                Backbone = stored.Backbone,
                Pooling = Enum.Parse<PoolingKind>(stored.Pooling),
                Clusters = stored.Clusters,
                KeepRelu = stored.KeepRelu,
                SoftFloor = stored.SoftFloor,
                Preprocessing = new(stored.Mean, stored.Scale),
                Resize = ResizePolicy.Parse(stored.Resize),
            });
        var network = create(settings);
        try
        {
            var tensors = file.Tensors.ToDictionary(t => t.Name);
            bool pooling = network.Pooling.Parameters.All(p => tensors.ContainsKey(p.Name));
            foreach (var p in network.Parameters)
                if (p.Layer != network.Pooling.Name || pooling)
                    Take(p, tensors, path);
            network.ClustersInitialised |= pooling && stored?.ClustersInitialised != false;
            if (tensors.TryGetValue("pca.weight", out var weight) && weight.Shape[1] == network.PooledLength)
                network.Pca = new Projection(weight.Shape[1], weight.Shape[0], weight.Values, tensors["pca.bias"].Values, tensors["pca.eigenvalues"].Values);
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    public static void LoadTrunk(Network network, string path)
    {
        var tensors = SafetensorsFile.Read(path).Tensors.ToDictionary(t => t.Name);
        foreach (var p in network.Parameters.Where(p => p.Layer != network.Pooling.Name))
            Take(p, tensors, path);
    }

    private static void Take(Parameter p, Dictionary<string, SafetensorsTensor> tensors, string path)
    {
        if (!tensors.TryGetValue(p.Name, out var tensor))
            throw new UserErrorException($"{path} lacks {p.Name}: it belongs to another network; name the right backbone.");
        if (tensor.Values.LongLength != p.Length || !Trimmed(tensor.Shape).SequenceEqual(Trimmed(p.FileShape)))
            throw new UserErrorException(
                $"{p.Name} in {path} is of shape [{string.Join(", ", tensor.Shape)}] and must be [{string.Join(", ", p.FileShape)}]: it belongs to another network; name the right backbone and clusters.");
        p.Write(tensor.Values);
    }

    /// <summary>The shape without ones at its end: a 1×1 convolution's weight may be stored as a matrix.</summary>
    private static IEnumerable<int> Trimmed(int[] shape) => shape.Reverse().SkipWhile(n => n == 1).Reverse();

    private static Stored? Settings(SafetensorsFile file, string path)
    {
        if (!file.Metadata.TryGetValue(SettingsKey, out string? json))
            return null;
        try
        {
            return JsonSerializer.Deserialize<Stored>(json);
        }
        catch (JsonException e)
        {
            throw new UserErrorException($"The settings in {path} are damaged ({e.Message.TrimEnd('.')}): take another copy of the file.", e);
        }
    }
}
