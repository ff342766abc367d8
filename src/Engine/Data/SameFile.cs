namespace IlgpuNetVlad.Engine.Data;

/// <summary>Whether two paths lead to the same bytes. A query that was copied into the database is found this way, under whatever name.</summary>
internal static class SameFile
{
    /// <summary>Both files must exist. Contents are read only where the lengths agree.</summary>
    public static bool Is(string a, string b)
    {
        if (a == b)
            return true;
        var length = new FileInfo(a).Length;
        return length > 0 && length == new FileInfo(b).Length && File.ReadAllBytes(a).AsSpan().SequenceEqual(File.ReadAllBytes(b));
    }
}
