using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Training;

/// <summary>
/// SHA-256 of everything that the maps before the first learning layer depend on: the frozen layers with their weights, the network's settings, images (path, size,
/// time of change) and the size that they are brought to, how numbers are kept; and, as other kernels round otherwise, the build of the kernels and the machine's vectors.
/// </summary>
internal static class FrozenFingerprint
{
    public static byte[] Of(Network network, int firstLearning, ImageStore store, bool half)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Add(object? value) => hash.AppendData(Encoding.UTF8.GetBytes($"{value}\n"));

        Add(typeof(Device).Module.ModuleVersionId);
        Add(network.Device.IsHostMemory ? $"{network.Device.Kind}, {network.Device.Preferred}, {HostSimd.Description}" : network.Device.Description);
        foreach (var (key, value) in NetworkMetadata.Of(network.Settings))
            Add($"{key}={value}");
        foreach (var layer in network.Layers.Take(firstLearning))
        {
            Add(layer);
            foreach (var p in layer.Parameters)
            {
                Add(p);
                hash.AppendData(MemoryMarshal.AsBytes<float>(network.Device.Download(p.Value)));
            }
        }
        Add(half ? "fp16" : "fp32");
        Add($"{store.Height}x{store.Width}");
        foreach (string path in store.Paths)
        {
            Add(path);
            Add(FileState.Of(path) is { } file ? $"{file.Length} {file.Written.Ticks}" : "no file");
        }
        return hash.GetHashAndReset();
    }
}
