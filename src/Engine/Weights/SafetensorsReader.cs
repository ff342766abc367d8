using System.Buffers;

namespace IlgpuNetVlad.Engine.Weights;

/// <summary>A safetensors file whose header was found good, read tensor by tensor into the caller's memory: of a large file no more stands in memory than the caller keeps.</summary>
internal sealed class SafetensorsReader : IDisposable
{
    // Bytes that are read at once; a multiple of every element's size.
    private const int Portion = 1 << 20;

    private readonly string path;
    private readonly FileStream stream;
    private readonly FileState? state;

    private SafetensorsReader(string path, FileStream stream, SafetensorsHeader header) => (this.path, this.stream, state, Header) = (path, stream, FileState.Of(path), header);

    /// <exception cref="UserErrorException">There is no such file, or its header is broken.</exception>
    public static SafetensorsReader Open(string path)
    {
        if (!File.Exists(path))
            throw new UserErrorException(
                Directory.Exists(path) ? $"{path} is a folder: name the safetensors file in it." : $"There is no file {path}: check the path of the weights.");
        FileStream? stream = null;
        try
        {
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            return new(path, stream, SafetensorsHeader.Read(stream, path));
        }
        catch (Exception e)
        {
            stream?.Dispose();
            if (e is IOException or UnauthorizedAccessException)
                throw Unreadable(path, e);
            throw;
        }
    }

    public SafetensorsHeader Header { get; }

    /// <param name="values">As many as the tensor has.</param>
    /// <param name="integers">As many, of a tensor of whole numbers; or empty.</param>
    /// <exception cref="UserErrorException">The file cannot be read.</exception>
    public void Read(SafetensorsHeader.Entry entry, Span<float> values, Span<long> integers = default)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(Portion);
        try
        {
            stream.Position = entry.Begin;
            int portion = Portion / entry.Type.Bytes;
            for (int first = 0; first < entry.Count; first += portion)
            {
                int count = Math.Min(portion, entry.Count - first);
                var bytes = buffer.AsSpan(0, count * entry.Type.Bytes);
                stream.ReadExactly(bytes);
                entry.Type.Decode(bytes, values.Slice(first, count));
                if (integers.Length > 0)
                    entry.Type.Decode(bytes, integers.Slice(first, count));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(path, e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Hands out the numbers of a tensor portion by portion.</summary>
    /// <inheritdoc cref="Read(SafetensorsHeader.Entry, Span{float}, Span{long})"/>
    public void Read(SafetensorsHeader.Entry entry, StoredTensor.Take take)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(Portion);
        float[] numbers = ArrayPool<float>.Shared.Rent(Portion / sizeof(float));
        try
        {
            int portion = Math.Min(Portion / entry.Type.Bytes, Portion / sizeof(float));
            for (int first = 0; first < entry.Count; first += portion)
            {
                int count = Math.Min(portion, entry.Count - first);
                var bytes = buffer.AsSpan(0, count * entry.Type.Bytes);
                try
                {
                    stream.Position = entry.Begin + (long)first * entry.Type.Bytes;
                    stream.ReadExactly(bytes);
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    throw Unreadable(path, e);
                }
                entry.Type.Decode(bytes, numbers.AsSpan(0, count));
                take(first, numbers.AsSpan(0, count));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            ArrayPool<float>.Shared.Return(numbers);
        }
    }

    /// <summary>A tensor that can be read again later.</summary>
    public StoredTensor Stored(SafetensorsHeader.Entry entry) => new(path, entry, state);

    private static UserErrorException Unreadable(string path, Exception e) => new($"{path} cannot be read ({e.Message.TrimEnd('.')}): check the file and its permissions.", e);

    public void Dispose() => stream.Dispose();
}
