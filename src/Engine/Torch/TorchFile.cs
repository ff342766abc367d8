using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using System.Numerics;
using IlgpuNetVlad.Engine.Weights;

namespace IlgpuNetVlad.Engine.Torch;

/// <summary>
/// Weights that PyTorch saved (<c>torch.save</c>): a dictionary of tensors, or a checkpoint that holds one. Since PyTorch 1.6 that is a zip archive with a pickle and a file for each storage, before
/// it was one pickle after the other and the storages behind them; both are read. No code in a file is run (<see cref="PickleReader"/>).
/// </summary>
internal sealed class TorchFile
{
    private const int Portion = 1 << 20;

    // What the older files begin with, as a pickle's number.
    private static readonly BigInteger OldMagic = BigInteger.Parse("01950a86a20f9469cfc6c", System.Globalization.NumberStyles.HexNumber);

    private const long OldProtocol = 1001;

    // Under which checkpoints keep the weights, in the order in which they are looked for.
    private static readonly string[] Wrappers = ["state_dict", "model_state_dict", "model"];

    private readonly string path;

    /// <summary>Of older files, where each storage begins; null of zip archives.</summary>
    private readonly Dictionary<string, long>? places;

    /// <summary>Of zip archives, the folder in it.</summary>
    private readonly string folder;

    private TorchFile(string path, object? root, string folder, Dictionary<string, long>? places)
    {
        (this.path, this.folder, this.places) = (path, folder, places);
        Tensors = Find(root);
    }

    /// <summary>Names and tensors, in the file's order.</summary>
    public IReadOnlyList<(string Name, TorchTensor Tensor)> Tensors { get; }

    /// <summary>Whether a file begins as one of these does.</summary>
    public static bool IsOne(ReadOnlySpan<byte> beginning) => IsZip(beginning) || IsOld(beginning);

    /// <summary>Reads what a file holds; the numbers stay in it until they are asked for.</summary>
    /// <exception cref="UserErrorException">It cannot be read, is broken, holds no tensors, or asks for code to be run.</exception>
    public static TorchFile Read(string path)
    {
        try
        {
            Span<byte> beginning = stackalloc byte[16];
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
            int read = stream.ReadAtLeast(beginning, beginning.Length, throwOnEndOfStream: false);
            stream.Position = 0;
            return IsZip(beginning[..read]) ? ReadZip(stream, path) : ReadOld(stream, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"{path} cannot be read ({e.Message.TrimEnd('.')}): check the file and its permissions.", e);
        }
        catch (InvalidDataException e)
        {
            throw Broken(path, "its archive cannot be unpacked", e);
        }
    }

    /// <summary>A tensor's numbers, row by row, as floats.</summary>
    /// <exception cref="UserErrorException">They cannot be read.</exception>
    public float[] Values(TorchTensor tensor)
    {
        try
        {
            return tensor.IsContiguous ? Values(tensor.Storage, tensor.Offset, tensor.Count) : Gather(tensor, Values(tensor.Storage, 0, checked((int)tensor.Storage.Count)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw Broken(path, "its numbers cannot be read to their end", e);
        }
        catch (OverflowException)
        {
            throw Broken(path, $"a storage of {tensor.Storage.Count} numbers is more than can be read at once");
        }
    }

    internal static UserErrorException Broken(string path, string how, Exception? inner = null) => new($"{path} is no whole file of PyTorch's weights: {how}; fetch or save it again.", inner);

    private float[] Values(TorchStorage storage, long first, int count)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        if (places is not null)
        {
            file.Position = places[storage.Key] + first * storage.Type.Bytes;
            return Decode(file, storage.Type, count);
        }
        using var zip = new ZipArchive(file, ZipArchiveMode.Read);
        using var stream = Entry(zip, path, $"{folder}data/{storage.Key}", storage.Bytes).Open();
        for (long left = first * storage.Type.Bytes; left > 0;)
            left -= stream.Read(new byte[Math.Min(left, Portion)]) is > 0 and var read ? read : throw new EndOfStreamException();
        return Decode(stream, storage.Type, count);
    }

    private static float[] Decode(Stream stream, SafetensorsType type, int count)
    {
        var values = new float[count];
        byte[] buffer = ArrayPool<byte>.Shared.Rent(Portion);
        try
        {
            for (int done = 0, portion = Portion / type.Bytes; done < count; done += portion)
            {
                var bytes = buffer.AsSpan(0, Math.Min(portion, count - done) * type.Bytes);
                stream.ReadExactly(bytes);
                type.Decode(bytes, values.AsSpan(done, bytes.Length / type.Bytes));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        return values;
    }

    private static float[] Gather(TorchTensor tensor, float[] storage)
    {
        var values = new float[tensor.Count];
        var index = new int[tensor.Shape.Length];
        for (int i = 0; i < values.Length; i++)
        {
            long at = tensor.Offset;
            for (int k = 0; k < index.Length; k++)
                at += index[k] * tensor.Strides[k];
            values[i] = storage[at];
            for (int k = index.Length - 1; k >= 0 && ++index[k] == tensor.Shape[k]; k--)
                index[k] = 0;
        }
        return values;
    }

    private List<(string, TorchTensor)> Find(object? root)
    {
        if (root is PickleDictionary checkpoint && !TensorsOf(checkpoint).Any())
            root = Wrappers.Select(checkpoint.Find).OfType<PickleDictionary>().FirstOrDefault(w => TensorsOf(w).Any()) ?? root;
        var tensors = root is PickleDictionary states ? TensorsOf(states).ToList() : [];
        if (tensors.Count == 0)
            throw new UserErrorException($"{path} holds no tensors by name, neither at once nor under {string.Join(", ", Wrappers)}: save a model's state_dict.");
        var names = new HashSet<string>();
        foreach (var (name, tensor) in tensors)
        {
            if (!names.Add(name))
                throw Broken(path, $"it holds {name} twice");
            if (places is not null && !places.ContainsKey(tensor.Storage.Key))
                throw Broken(path, $"the numbers of {name} are not in it");
        }
        return tensors;
    }

    private static IEnumerable<(string, TorchTensor)> TensorsOf(PickleDictionary dictionary)
    {
        foreach (var (key, value) in dictionary.Pairs)
            if (key is string name && value is TorchTensor tensor)
                yield return (name, tensor);
    }

    private static TorchFile ReadZip(FileStream stream, string path)
    {
        using var zip = new ZipArchive(stream, ZipArchiveMode.Read, leaveOpen: true);
        var pickle = zip.Entries.FirstOrDefault(e => e.Name == "data.pkl") ?? throw Broken(path, "its archive has no data.pkl");
        string folder = pickle.FullName[..^pickle.Name.Length];
        if (zip.GetEntry($"{folder}byteorder") is { } order)
        {
            using var text = new StreamReader(order.Open());
            if (text.Read() == 'b')
                throw new UserErrorException($"{path} holds its numbers in the order of another kind of machine (big-endian): save it on a usual one.");
        }
        object? root;
        using (var bytes = new BufferedStream(pickle.Open(), 1 << 16))
            root = new PickleReader(bytes, path).Read();
        var file = new TorchFile(path, root, folder, null);
        foreach (var (name, tensor) in file.Tensors)
            Entry(zip, path, $"{folder}data/{tensor.Storage.Key}", tensor.Storage.Bytes);
        return file;
    }

    private static ZipArchiveEntry Entry(ZipArchive zip, string path, string name, long bytes)
    {
        var entry = zip.GetEntry(name) ?? throw Broken(path, $"its archive lacks {name}");
        return entry.Length == bytes ? entry : throw Broken(path, $"{name} in it has {entry.Length} bytes and must have {bytes}");
    }

    private static TorchFile ReadOld(FileStream stream, string path)
    {
        if (new PickleReader(stream, path).Read() is not BigInteger magic || magic != OldMagic || new PickleReader(stream, path).Read() is not OldProtocol)
            throw Broken(path, "it begins as none does");
        if (new PickleReader(stream, path).Read() is PickleDictionary system && system.Find("little_endian") is false)
            throw new UserErrorException($"{path} holds its numbers in the order of another kind of machine (big-endian): save it on a usual one.");
        var pickle = new PickleReader(stream, path);
        object? root = pickle.Read();
        if (new PickleReader(stream, path).Read() is not List<object?> keys)
            throw Broken(path, "it does not say in which order its numbers lie");
        var places = new Dictionary<string, long>();
        Span<byte> length = stackalloc byte[8];
        foreach (object? each in keys)
        {
            if (each is not string key || !pickle.Storages.TryGetValue(key, out var storage) || !places.TryAdd(key, stream.Position + length.Length))
                throw Broken(path, $"it holds the numbers of {each}, which it does not describe, or twice");
            if (stream.ReadAtLeast(length, length.Length, throwOnEndOfStream: false) < length.Length || BinaryPrimitives.ReadInt64LittleEndian(length) != storage.Count || storage.Bytes > stream.Length - stream.Position)
                throw Broken(path, $"storage {key} must have {storage.Count} numbers, and has not");
            stream.Position += storage.Bytes;
        }
        return new(path, root, "", places);
    }

    private static bool IsZip(ReadOnlySpan<byte> beginning) => beginning.StartsWith("PK\u0003\u0004"u8);

    // Protocol 2, a whole number of ten bytes, and its last ones first.
    private static bool IsOld(ReadOnlySpan<byte> beginning) => beginning.StartsWith((ReadOnlySpan<byte>)[0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9]);
}
