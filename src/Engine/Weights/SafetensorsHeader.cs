using System.Buffers.Binary;
using System.Text.Json;

namespace IlgpuNetVlad.Engine.Weights;

/// <summary>
/// The beginning of a safetensors file: 8 bytes of length, then JSON that says of each tensor its type, shape and place. Believed only after
/// everything in it has been checked against the file's true length, so that no number in it can lead outside the file.
/// </summary>
internal sealed class SafetensorsHeader
{
    /// <summary>The key of the strings that go with the tensors.</summary>
    public const string MetadataKey = "__metadata__";

    // As in the format's own reader.
    private const long LongestHeader = 100_000_000;

    // {name: {field: [number]}}: a well-formed header nests no deeper, and a hostile one shall not exhaust the stack.
    private const int Depth = 4;

    private readonly string path;
    private readonly List<Entry> entries = [];
    private readonly Dictionary<string, string> metadata = [];

    private SafetensorsHeader(string path) => this.path = path;

    /// <param name="Begin">First byte, from the beginning of the file.</param>
    public readonly record struct Entry(string Name, SafetensorsType Type, int[] Shape, int Count, long Begin, long End);

    /// <summary>In the order of the header.</summary>
    public IReadOnlyList<Entry> Entries => entries;

    public IReadOnlyDictionary<string, string> Metadata => metadata;

    /// <exception cref="UserErrorException">The header is broken.</exception>
    public static SafetensorsHeader Read(Stream stream, string path)
    {
        var header = new SafetensorsHeader(path);
        header.Parse(stream);
        return header;
    }

    private void Parse(Stream stream)
    {
        Span<byte> start = stackalloc byte[ForeignFile.Longest], prefix = start[..8];
        int got = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        // Any bytes may be a length, of which a small one may begin as a pickle does: the header behind it begins with a brace.
        if ((got <= prefix.Length || start[prefix.Length] != '{') && ForeignFile.Describe(start[..got]) is { } other)
            throw new UserErrorException($"{path} is {other}.");
        stream.Position = prefix.Length;
        if (got < prefix.Length)
            throw Broken($"it has {stream.Length} bytes, fewer than the 8 that the format begins with");
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > (ulong)(stream.Length - prefix.Length) || length > LongestHeader)
            throw Broken($"its header claims {length} bytes of a file of {stream.Length}");
        var json = new byte[length];
        stream.ReadExactly(json);
        long data = prefix.Length + (long)length;
        try
        {
            using var document = JsonDocument.Parse(json, new() { MaxDepth = Depth });
            ReadObject(document.RootElement, data, stream.Length);
        }
        // Text that is no Unicode is found when it is taken out of the document.
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Broken("its header is not the JSON that the format asks for", e);
        }
        CheckPlaces(data, stream.Length);
    }

    private void ReadObject(JsonElement root, long data, long fileLength)
    {
        if (root.ValueKind != JsonValueKind.Object)
            throw Broken("its header is not a JSON object");
        var seen = new HashSet<string>();
        foreach (var property in root.EnumerateObject())
        {
            if (!seen.Add(property.Name))
                throw Broken($"it holds {property.Name} twice");
            if (property.Name == MetadataKey)
                ReadMetadata(property.Value);
            else
                entries.Add(ReadEntry(property.Name, property.Value, data, fileLength));
        }
    }

    private void ReadMetadata(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object)
            throw Broken("its metadata is not a JSON object");
        foreach (var pair in value.EnumerateObject())
        {
            if (pair.Value.ValueKind != JsonValueKind.String)
                throw Broken($"its metadata {pair.Name} is not a string");
            if (!metadata.TryAdd(pair.Name, pair.Value.GetString()!))
                throw Broken($"it holds the metadata {pair.Name} twice");
        }
    }

    private Entry ReadEntry(string name, JsonElement value, long data, long fileLength)
    {
        if (value.ValueKind != JsonValueKind.Object
            || !value.TryGetProperty("dtype", out var dtype) || dtype.ValueKind != JsonValueKind.String
            || !value.TryGetProperty("shape", out var sizes) || sizes.ValueKind != JsonValueKind.Array
            || !value.TryGetProperty("data_offsets", out var place) || place.ValueKind != JsonValueKind.Array || place.GetArrayLength() != 2)
            throw Broken($"tensor {name} lacks its dtype, shape or data_offsets");
        string typeName = dtype.GetString()!;
        var type = SafetensorsType.Find(typeName)
            ?? throw new UserErrorException($"Tensor {name} in {path} is of type {typeName}, which is not read here: save it as F32 (read are {SafetensorsType.Known}).");
        var shape = new int[sizes.GetArrayLength()];
        long count = 1;
        for (int i = 0; i < shape.Length; i++)
        {
            if (sizes[i].ValueKind != JsonValueKind.Number || !sizes[i].TryGetInt32(out shape[i]) || shape[i] < 0)
                throw Broken($"tensor {name} has the size {sizes[i]} in its shape");
            count *= shape[i];
            if (count > Array.MaxLength)
                throw Broken($"tensor {name} claims more numbers than can be read at once");
        }
        if (!IsOffset(place[0], out long begin) || !IsOffset(place[1], out long end) || begin > end || end > fileLength - data)
            throw Broken($"tensor {name} lies outside the file, at {place} of {fileLength - data} bytes");
        if (end - begin != count * type.Bytes)
            throw Broken($"tensor {name} of {typeName} [{string.Join(", ", shape)}] needs {count * type.Bytes} bytes and has {end - begin}");
        return new(name, type, shape, (int)count, data + begin, data + end);
    }

    private static bool IsOffset(JsonElement element, out long value)
    {
        value = 0;
        return element.ValueKind == JsonValueKind.Number && element.TryGetInt64(out value) && value >= 0;
    }

    /// <summary>Tensors lie one behind the other from the first byte to the last: nothing overlaps, nothing is hidden between them.</summary>
    private void CheckPlaces(long data, long fileLength)
    {
        long at = data;
        string? before = null;
        foreach (var entry in entries.OrderBy(e => e.Begin).ThenBy(e => e.End))
        {
            if (entry.Begin < at)
                throw Broken($"tensors {before} and {entry.Name} overlap");
            if (entry.Begin > at)
                throw Broken($"{entry.Begin - at} bytes before tensor {entry.Name} belong to none");
            (at, before) = (entry.End, entry.Name);
        }
        if (at != fileLength)
            throw Broken($"{fileLength - at} bytes at its end belong to no tensor");
    }

    private UserErrorException Broken(string how, Exception? inner = null)
        => new($"{path} is not a whole safetensors file: {how}; fetch or write it again.", inner);
}
