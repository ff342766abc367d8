using System.Runtime.InteropServices;

namespace IlgpuNetVlad.Engine.Weights;

/// <summary>An element type of the safetensors format: its size, and how its little-endian bytes become numbers.</summary>
internal sealed class SafetensorsType
{
    private delegate void Decoder(ReadOnlySpan<byte> bytes, Span<float> values);

    private delegate void IntegerDecoder(ReadOnlySpan<byte> bytes, Span<long> values);

    private static readonly Dictionary<string, SafetensorsType> ByName = new SafetensorsType[]
    {
        new("F64", 8, (b, v) => Convert<double>(b, v, x => (float)x)),
        new("F32", 4, (b, v) => MemoryMarshal.Cast<byte, float>(b).CopyTo(v)),
        new("F16", 2, (b, v) => Convert<Half>(b, v, x => (float)x)),
        new("BF16", 2, (b, v) => Convert<ushort>(b, v, x => BitConverter.UInt32BitsToSingle((uint)x << 16))),
        Integer<long>("I64", x => x),
        Integer<int>("I32", x => x),
        Integer<short>("I16", x => x),
        Integer<sbyte>("I8", x => x),
        Integer<uint>("U32", x => x),
        Integer<ushort>("U16", x => x),
        Integer<byte>("U8", x => x),
        Integer<byte>("BOOL", x => x),
    }.ToDictionary(t => t.Name);

    private readonly Decoder decode;

    private SafetensorsType(string name, int bytes, Decoder decode) => (Name, Bytes, this.decode) = (name, bytes, decode);

    /// <summary>All that are read, for messages.</summary>
    public static string Known => string.Join(", ", ByName.Keys);

    public string Name { get; }

    /// <summary>Of one element.</summary>
    public int Bytes { get; }

    private IntegerDecoder? DecodeIntegers { get; init; }

    public bool IsInteger => DecodeIntegers is not null;

    public static SafetensorsType? Find(string name) => ByName.GetValueOrDefault(name);

    public void Decode(ReadOnlySpan<byte> bytes, Span<float> values) => decode(bytes, values);

    public void Decode(ReadOnlySpan<byte> bytes, Span<long> values) => DecodeIntegers!(bytes, values);

    private static SafetensorsType Integer<T>(string name, Func<T, long> widen)
        where T : unmanaged
        => new(name, Marshal.SizeOf<T>(), (b, v) => Convert<T>(b, v, x => widen(x)))
        {
            DecodeIntegers = (b, v) =>
            {
                var from = MemoryMarshal.Cast<byte, T>(b);
                for (int i = 0; i < from.Length; i++)
                    v[i] = widen(from[i]);
            },
        };

    private static void Convert<T>(ReadOnlySpan<byte> bytes, Span<float> values, Func<T, float> convert)
        where T : unmanaged
    {
        var from = MemoryMarshal.Cast<byte, T>(bytes);
        for (int i = 0; i < from.Length; i++)
            values[i] = convert(from[i]);
    }
}
