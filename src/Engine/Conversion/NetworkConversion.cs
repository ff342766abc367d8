using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Matlab;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Torch;
using IlgpuNetVlad.Engine.Weights;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Conversion;

/// <summary>Turns weights of others into a file of this engine: MATLAB's of NetVLAD's authors, PyTorch's of its ports, and safetensors with their names. What a file is, is found out by looking.</summary>
public sealed record NetworkConversion
{
    /// <summary>Image size to store; null for what weights of this kind were made for.</summary>
    public ResizePolicy? Resize { get; init; }

    /// <summary>Preprocessing to store; null for what weights of this kind take.</summary>
    public Preprocessing? Preprocessing { get; init; }

    /// <summary>How a map becomes a descriptor, where the file does not say; null for NetVLAD.</summary>
    public PoolingKind? Pooling { get; init; }

    /// <summary>Trunks to recognise.</summary>
    internal IReadOnlyList<Backbone> Backbones { get; init; } = Backbone.All;

    /// <summary>Reads one file and writes another, which is complete in itself.</summary>
    /// <exception cref="UserErrorException">The file is broken, holds another network than those that are known, or asks for code to be run; or the place cannot be written.</exception>
    public ConversionResult Run(Device device, string from, string to)
    {
        var found = Read(device, from);
        var settings = found.Settings with { Resize = Resize ?? found.Settings.Resize, Preprocessing = Preprocessing ?? found.Settings.Preprocessing };
        using var network = new Network(device, settings, found.Backbone);
        foreach (var parameter in found.HasClusters ? network.Parameters : network.TrunkParameters)
        {
            float[] values = found.Parameters[parameter.Name]();
            CheckFinite(from, parameter.Name, values);
            parameter.Write(values);
        }
        network.ClustersInitialised |= found.HasClusters;
        network.Pca = found.Pca?.Invoke();
        if (network.Pca is { } pca)
        {
            CheckFinite(from, PcaNames.Weight, pca.Weight);
            CheckFinite(from, PcaNames.Bias, pca.Bias);
        }
        network.Save(to);
        return new(found.Source, network.Settings, network.ClustersInitialised, network.PooledLength, network.Pca?.OutputLength, found.LeftOut);
    }

    private ForeignNetwork Read(Device device, string path)
    {
        byte[] beginning = Beginning(path);
        if (MatlabFile.IsOne(beginning))
            return MatConvNetNetwork.Read(device, path, Pooling, Backbones);
        if (TorchFile.IsOne(beginning))
        {
            var torch = TorchFile.Read(path);
            return NamedNetwork.Read(device, path, "PyTorch", torch.Tensors.Select(t => new FoundTensor(t.Name, t.Tensor.Shape, () => torch.Values(t.Tensor))), Pooling, Backbones);
        }
        // Eight bytes of length, then JSON.
        if (beginning.Length < 9 || beginning[8] != '{')
            throw new UserErrorException($"{path} is neither a MATLAB file, nor one of PyTorch's, nor safetensors: see docs/weights.md for what is read.");
        var header = SafetensorsFile.Read(path, _ => false);
        if (NetworkMetadata.IsPresent(header.Metadata))
            throw new UserErrorException($"{path} is a network of this engine's already: use it as it is.");
        using var reader = SafetensorsReader.Open(path);
        var tensors = reader.Header.Entries.Select(e => new FoundTensor(e.Name, e.Shape, () => SafetensorsFile.Read(path, name => name == e.Name).Tensors[0].Values)).ToList();
        return tensors.Count > 0 ? NamedNetwork.Read(device, path, "safetensors", tensors, Pooling, Backbones) : throw new UserErrorException($"{path} holds no tensors: check which file it is.");
    }

    private static byte[] Beginning(string path)
    {
        if (!File.Exists(path))
            throw new UserErrorException(Directory.Exists(path) ? $"{path} is a folder: name the file of weights in it." : $"There is no file {path}: check the path of the weights.");
        try
        {
            using var stream = File.OpenRead(path);
            var bytes = new byte[128];
            return bytes[..stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"{path} cannot be read ({e.Message.TrimEnd('.')}): check the file and its permissions.", e);
        }
    }

    private static void CheckFinite(string path, string name, float[] values)
    {
        if (Array.FindIndex(values, x => !float.IsFinite(x)) is >= 0 and var at)
            throw new UserErrorException($"{name} in {path} holds NaN or infinity, at number {at}, so the network would answer nothing: take the weights of an earlier epoch.");
    }
}
