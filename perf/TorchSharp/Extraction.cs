using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace IlgpuNetVlad.Perf.TorchSharp;

/// <summary>Descriptors of a batch of images.</summary>
internal sealed class Extraction(string backbone, string weights, long[] shape, Layout layout) : IPeerWork
{
    private readonly NetVladNetwork network = new(backbone, weights, layout);
    private Tensor? pixels, found;

    public void Take(string path)
    {
        pixels?.Dispose();
        using var scope = NewDisposeScope();
        pixels = tensor(MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(path)).ToArray(), shape).Laid(layout).MoveToOuterDisposeScope();
    }

    public void Run()
    {
        found?.Dispose();
        using var noGradient = no_grad();
        found = network.forward(pixels!);
    }

    public byte[] Answer() => MemoryMarshal.AsBytes<float>(found!.data<float>().ToArray()).ToArray();
}
