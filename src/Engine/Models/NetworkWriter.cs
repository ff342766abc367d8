using IlgpuNetVlad.Engine.Weights;

namespace IlgpuNetVlad.Engine.Models;

/// <summary>Writes a network as one safetensors file, with PyTorch's names and shapes. Clusters that are not initialised are left out.</summary>
internal static class NetworkWriter
{
    /// <param name="others">Tensors and strings that go into the same file, beside the network's own.</param>
    public static void Write(Network network, string path, IEnumerable<SafetensorsTensor>? others = null, IEnumerable<KeyValuePair<string, string>>? otherStrings = null)
    {
        var parameters = network.ClustersInitialised ? network.Parameters : network.TrunkParameters;
        var tensors = parameters.Select(p => new SafetensorsTensor(p.Name, p.FileShape, p.Read())).ToList();
        if (network.Pca is { } pca)
        {
            tensors.Add(new(PcaNames.Weight, [pca.OutputLength, pca.InputLength], pca.Weight));
            tensors.Add(new(PcaNames.Bias, [pca.OutputLength], pca.Bias));
            if (pca.Eigenvalues.Length > 0)
                tensors.Add(new(PcaNames.Eigenvalues, [pca.OutputLength], pca.Eigenvalues));
        }
        var strings = NetworkMetadata.Of(network.Settings);
        foreach (var (key, value) in otherStrings ?? [])
            strings.Add(key, value);
        SafetensorsFile.Write(path, tensors.Concat(others ?? []), strings);
    }
}
