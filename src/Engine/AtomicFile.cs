namespace IlgpuNetVlad.Engine;

/// <summary>
/// Writes a file aside and renames it when it is whole: a reader, or whoever comes after a crash, finds the old file or the new one and never
/// half of one.
/// </summary>
public static class AtomicFile
{
    // errno of Linux and macOS, and Windows' own numbers; .NET hands them on as they are.
    private static readonly int[] Full = [28, 122, unchecked((int)0x80070070), unchecked((int)0x80070027)], ReadOnly = [30, unchecked((int)0x80070013)];

    /// <summary>Finds before long work whether <see cref="Write(string, Action{Stream})"/> could write <paramref name="path"/> after it: the nearest folder that is there takes
    /// a file, and the path is none. Whether the disk has room is not known before.</summary>
    /// <exception cref="UserErrorException">It could not.</exception>
    public static void Check(string path)
    {
        path = Path.GetFullPath(path);
        if (Directory.Exists(path))
            throw new UserErrorException($"{path} cannot be written (it is a folder); name a file, in it or elsewhere.");
        string folder = Path.GetDirectoryName(path)!;
        while (!Path.Exists(folder) && Path.GetDirectoryName(folder) is { } above)
            folder = above;
        string probe = Aside(Path.Combine(folder, "probe"));
        try
        {
            using var stream = new FileStream(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(path, probe, e);
        }
    }

    /// <summary>Writes <paramref name="path"/>, making its folder where there is none.</summary>
    /// <param name="write">Gets a stream that can seek, positioned at 0; it need not be closed.</param>
    /// <exception cref="UserErrorException">The folder cannot be written, or the disk is full. The old file is untouched.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        path = Path.GetFullPath(path);
        var aside = Aside(path);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            using (var stream = new FileStream(aside, FileMode.CreateNew, FileAccess.ReadWrite))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }

            File.Move(aside, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Remove(aside);
            throw Unwritable(path, aside, e);
        }
        catch
        {
            Remove(aside);
            throw;
        }
    }

    /// <inheritdoc cref="Write(string, Action{Stream})"/>
    public static void Write(string path, ReadOnlySpan<byte> bytes)
    {
        var copy = bytes.ToArray();
        Write(path, stream => stream.Write(copy));
    }

    /// <summary>Writes text as UTF-8 without a byte order mark.</summary>
    /// <inheritdoc cref="Write(string, Action{Stream})"/>
    public static void WriteText(string path, string text) => Write(path, System.Text.Encoding.UTF8.GetBytes(text));

    /// <summary>Beside the target, since a rename must not cross file systems; hidden, since listings of images skip hidden names.</summary>
    private static string Aside(string path) => Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}.{Guid.NewGuid():N}.part");

    private static UserErrorException Unwritable(string path, string aside, Exception e)
    {
        var (reason, advice) = e switch
        {
            UnauthorizedAccessException => ("it may not be written", "ask for the right to, or name another place"),
            _ when Full.Contains(e.HResult) => ("the disk is full, or your share of it", "free some space, or name another place"),
            _ when ReadOnly.Contains(e.HResult) => ("the disk can only be read", "name another place"),
            // Nobody asked for the name aside, so nobody is told it.
            _ => (e.Message.Replace(aside, path, StringComparison.Ordinal).TrimEnd('.'), "name another place"),
        };
        return new($"{path} cannot be written ({reason}); {advice}.", e);
    }

    private static void Remove(string aside)
    {
        try
        {
            File.Delete(aside);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What went wrong before is what the user must hear.
        }
    }
}
