using System.Runtime.InteropServices;
using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Peers.Served;

/// <summary>Principal components of descriptors, not whitened.</summary>
internal sealed class ServedPca(Device device, int dimensions, int components) : IServedWork
{
    private DescriptorMatrix descriptors = new(0, dimensions);
    private Projection? found;

    public void Take(string path)
    {
        using var file = File.OpenRead(path);
        var values = new float[file.Length / sizeof(float)];
        file.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan()));
        descriptors = new(values.Length / dimensions, dimensions, values);
    }

    public void Run() => found = PrincipalComponents.Fit(device, descriptors, components, whiten: false);

    /// <summary>The components as raw fp32 [components, dimensions], and behind them the eigenvalues.</summary>
    public byte[] Answer() => [.. MemoryMarshal.AsBytes<float>(found!.Weight), .. MemoryMarshal.AsBytes<float>(found.Eigenvalues)];

    public void Dispose()
    {
    }
}
