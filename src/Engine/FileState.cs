namespace IlgpuNetVlad.Engine;

/// <summary>What tells a file from another that took its place: its length and when it was written. Of a link, those of the file that it leads to.</summary>
/// <param name="Length">Bytes.</param>
/// <param name="Written">In universal time.</param>
internal readonly record struct FileState(long Length, DateTime Written)
{
    /// <returns>Null if there is no such file, or a link leads nowhere.</returns>
    public static FileState? Of(string path)
    {
        var file = new FileInfo(path);
        try
        {
            // A link's own length is that of the path in it.
            if (file.LinkTarget != null)
                file = file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo;
        }
        catch (IOException)
        {
            return null;
        }
        return file is { Exists: true } ? new(file.Length, file.LastWriteTimeUtc) : null;
    }
}
