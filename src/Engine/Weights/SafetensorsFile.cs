using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace IlgpuNetVlad.Engine.Weights;

/// <summary>
/// The safetensors format: named tensors and strings, no code. Reads every number type that fits a float; writes F32 and I64. The same
/// tensors and strings in the same order always become the same bytes.
/// </summary>
public sealed class SafetensorsFile
{
    // Bytes that are written at once; a multiple of every element's size.
    private const int Portion = 1 << 20;

    private SafetensorsFile(IReadOnlyList<SafetensorsTensor> tensors, IReadOnlyDictionary<string, string> metadata)
        => (Tensors, Metadata) = (tensors, metadata);

    /// <summary>In the order of the file's header.</summary>
    public IReadOnlyList<SafetensorsTensor> Tensors { get; }

    /// <summary>The strings that go with the tensors; empty where there are none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>The tensor of that name, or null.</summary>
    public SafetensorsTensor? Find(string name) => Tensors.FirstOrDefault(t => t.Name == name);

    /// <summary>Reads a file.</summary>
    /// <param name="wanted">Names of the tensors to read; all without it. The header is checked whole in any case.</param>
    /// <exception cref="UserErrorException">There is no such file, or it is broken: one sentence names the file, the tensor and the fault.</exception>
    public static SafetensorsFile Read(string path, Func<string, bool>? wanted = null)
    {
        using var reader = SafetensorsReader.Open(path);
        var tensors = new List<SafetensorsTensor>();
        foreach (var entry in reader.Header.Entries)
            if (wanted?.Invoke(entry.Name) != false)
                tensors.Add(ReadTensor(reader, entry));
        return new(tensors, reader.Header.Metadata);
    }

    /// <summary>Writes tensors and strings aside, then renames: a reader finds the old file or the whole new one.</summary>
    /// <exception cref="ArgumentException">A shape does not fit its numbers, or a name comes twice.</exception>
    /// <exception cref="UserErrorException">The file cannot be written.</exception>
    public static void Write(string path, IEnumerable<SafetensorsTensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var list = tensors.ToList();
        var header = WriteHeader(list, metadata);
        AtomicFile.Write(path, stream =>
        {
            Span<byte> length = stackalloc byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
            stream.Write(length);
            stream.Write(header);
            foreach (var t in list)
                if (t.Integers is { } integers)
                    WriteNumbers<long>(stream, integers);
                else
                    WriteNumbers<float>(stream, t.Values);
        });
    }

    private static SafetensorsTensor ReadTensor(SafetensorsReader reader, SafetensorsHeader.Entry entry)
    {
        var values = new float[entry.Count];
        var integers = entry.Type.IsInteger ? new long[entry.Count] : null;
        reader.Read(entry, values, integers);
        return new(entry.Name, entry.Shape, values) { Type = entry.Type.Name, Integers = integers };
    }

    private static byte[] WriteHeader(List<SafetensorsTensor> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        var buffer = new ArrayBufferWriter<byte>();
        // Names and strings in plain UTF-8, as other writers of the format do.
        using (var json = new Utf8JsonWriter(buffer, new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject(SafetensorsHeader.MetadataKey);
                // A dictionary promises no order of its own.
                foreach (var (key, value) in metadata.OrderBy(m => m.Key, StringComparer.Ordinal))
                    json.WriteString(key, value);
                json.WriteEndObject();
            }
            long offset = 0;
            var names = new HashSet<string>();
            foreach (var t in tensors)
            {
                long count = t.Shape.Aggregate(1L, (product, n) => product * n);
                if (count != (t.Integers?.LongLength ?? t.Values.LongLength))
                    throw new ArgumentException($"Tensor {t.Name} of [{string.Join(", ", t.Shape)}] cannot hold {t.Values.LongLength} numbers.");
                if (!names.Add(t.Name) || t.Name == SafetensorsHeader.MetadataKey)
                    throw new ArgumentException($"Two tensors cannot share the name {t.Name}.");
                long bytes = count * (t.Integers is null ? sizeof(float) : sizeof(long));
                json.WriteStartObject(t.Name);
                json.WriteString("dtype", t.Integers is null ? "F32" : "I64");
                json.WriteStartArray("shape");
                foreach (int n in t.Shape)
                    json.WriteNumberValue(n);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += bytes);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        // Whoever maps the file wants the numbers at a multiple of 8 bytes; the format pads with spaces.
        while (buffer.WrittenCount % 8 != 0)
            buffer.Write(" "u8);
        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteNumbers<T>(Stream stream, ReadOnlySpan<T> numbers)
        where T : unmanaged
    {
        int portion = Portion / Marshal.SizeOf<T>();
        for (; numbers.Length > portion; numbers = numbers[portion..])
            stream.Write(MemoryMarshal.AsBytes(numbers[..portion]));
        stream.Write(MemoryMarshal.AsBytes(numbers));
    }
}
