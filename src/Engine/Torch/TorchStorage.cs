using IlgpuNetVlad.Engine.Weights;

namespace IlgpuNetVlad.Engine.Torch;

/// <summary>Numbers in a row that tensors are views of.</summary>
/// <param name="Key">Its name in the file.</param>
/// <param name="Type">Of its elements.</param>
/// <param name="Count">Elements.</param>
internal sealed record TorchStorage(string Key, SafetensorsType Type, long Count)
{
    private static readonly Dictionary<string, string> Names = new()
    {
        ["DoubleStorage"] = "F64", ["FloatStorage"] = "F32", ["HalfStorage"] = "F16", ["BFloat16Storage"] = "BF16", ["LongStorage"] = "I64", ["IntStorage"] = "I32",
        ["ShortStorage"] = "I16", ["CharStorage"] = "I8", ["ByteStorage"] = "U8", ["BoolStorage"] = "BOOL",
    };

    /// <summary>Names of PyTorch's classes.</summary>
    public static IEnumerable<string> Types => Names.Keys;

    /// <summary>The element type of one of PyTorch's classes; null for any other.</summary>
    public static SafetensorsType? TypeOf(string name) => Names.TryGetValue(name, out string? type) ? SafetensorsType.Find(type) : null;

    public long Bytes => Count * Type.Bytes;
}
