namespace IlgpuNetVlad.Engine;

/// <summary>
/// Writes a file aside and renames it when it is whole: a reader, or whoever comes after a crash, finds the old file or the new one and never
/// half of one.
/// </summary>
public static class AtomicFile
{
    /// <summary>Writes <paramref name="path"/>, making its folder where there is none.</summary>
    /// <param name="write">Gets a stream that can seek, positioned at 0; it need not be closed.</param>
    /// <exception cref="UserErrorException">The folder cannot be written, or the disk is full. The old file is untouched.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        path = Path.GetFullPath(path);
        // Beside the target, since a rename must not cross file systems; hidden, since listings of images skip hidden names.
        var aside = Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}.{Guid.NewGuid():N}.part");
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
            // Nobody asked for the name aside, so nobody is told it.
            var reason = e is UnauthorizedAccessException ? "it may not be written" : e.Message.Replace(aside, path, StringComparison.Ordinal).TrimEnd('.');
            throw new UserErrorException($"{path} cannot be written ({reason}); free some space or name another place.", e);
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
