using IlgpuNetVlad.Engine.Weights;

namespace IlgpuNetVlad.Engine.Models;

/// <summary>Writes a network as one safetensors file, with PyTorch's names and shapes. Clusters that are not initialised are left out.</summary>
internal static class NetworkWriter
{
    public static void Write(Network network, string path)
    {
        var parameters = network.ClustersInitialised ? network.Parameters : network.TrunkParameters;
        var tensors = parameters.Select(p => new SafetensorsTensor(p.Name, p.FileShape, p.Read())).ToList();
        if (network.Pca is { } pca)
        {
            tensors.Add(new(PcaNames.Weight, [pca.OutputLength, pca.InputLength], pca.Weight));
            tensors.Add(new(PcaNames.Bias, [pca.OutputLength], pca.Bias));
            tensors.Add(new(PcaNames.Eigenvalues, [pca.OutputLength], pca.Eigenvalues));
        }
        SafetensorsFile.Write(path, tensors, NetworkMetadata.Of(network.Settings));
    }
}
