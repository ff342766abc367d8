using Microsoft.Win32.SafeHandles;

namespace IlgpuNetVlad.Engine.Training;

/// <summary>
/// Rows in a file, which is whole or not there: a header of 64 bytes with the fingerprint of what they depend on, then the rows. They are read, not mapped: the
/// system's cache serves both alike, but a mapped file counts as the process's memory, and a failing disk would end the process without a word.
/// </summary>
internal sealed class MapFile(string path, int count, int rowBytes) : IMapRows
{
    private const int HeaderBytes = 64;

    private SafeFileHandle? file;

    public static ReadOnlySpan<byte> Magic => "NVMAPS01"u8;

    private long Length => HeaderBytes + (long)count * rowBytes;

    public bool Find(ReadOnlySpan<byte> fingerprint)
    {
        if (!File.Exists(path) || new FileInfo(path).Length != Length)
            return false;
        Open();
        var header = new byte[HeaderBytes];
        ReadAt(0, header);
        if (header.AsSpan().SequenceEqual(Header(fingerprint)))
            return true;
        Dispose();
        return false;
    }

    public void Fill(byte[] fingerprint, IEnumerable<ReadOnlyMemory<byte>> rows)
    {
        // What a killed run left half written is as large as the whole.
        foreach (string left in Directory.EnumerateFiles(Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}.*.part"))
            File.Delete(left);
        AtomicFile.Write(path, stream =>
        {
            stream.Write(Header(fingerprint));
            foreach (var row in rows)
                stream.Write(row.Span);
        });
        Open();
    }

    public void Read(int row, Span<byte> to) => ReadAt(HeaderBytes + (long)row * rowBytes, to);

    public void Forget()
    {
        Dispose();
        File.Delete(path);
    }

    public void Dispose()
    {
        file?.Dispose();
        file = null;
    }

    private void ReadAt(long offset, Span<byte> to)
    {
        try
        {
            for (int got; to.Length > 0; to = to[got..], offset += got)
                if ((got = RandomAccess.Read(file!, to, offset)) == 0)
                    throw new EndOfStreamException("it became shorter");
        }
        catch (IOException e)
        {
            throw new UserErrorException($"{path} can no longer be read ({e.Message.TrimEnd('.')}): resume the run, which makes it again if it is damaged.", e);
        }
    }

    private void Open() => file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read, FileOptions.RandomAccess);

    private static byte[] Header(ReadOnlySpan<byte> fingerprint)
    {
        var header = new byte[HeaderBytes];
        Magic.CopyTo(header);
        fingerprint.CopyTo(header.AsSpan(Magic.Length));
        return header;
    }
}
