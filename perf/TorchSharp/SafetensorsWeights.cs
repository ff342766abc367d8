using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using static TorchSharp.torch;

namespace IlgpuNetVlad.Perf.TorchSharp;

/// <summary>Puts a safetensors file's fp32 numbers into the parameters of the same names.</summary>
internal static class SafetensorsWeights
{
    public static void Load(nn.Module module, string path)
    {
        using var file = File.OpenRead(path);
        Span<byte> size = stackalloc byte[8];
        file.ReadExactly(size);
        var text = new byte[BinaryPrimitives.ReadInt64LittleEndian(size)];
        file.ReadExactly(text);
        long begin = file.Position;
        using var header = JsonDocument.Parse(text);
        using var noGradient = no_grad();
        foreach (var (name, parameter) in module.named_parameters())
        {
            var at = header.RootElement.GetProperty(name).GetProperty("data_offsets");
            var values = new float[(at[1].GetInt64() - at[0].GetInt64()) / sizeof(float)];
            file.Position = begin + at[0].GetInt64();
            file.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan()));
            using var read = tensor(values, parameter.shape);
            parameter.copy_(read);
        }
    }
}
