namespace IlgpuNetVlad.App.Shell;

/// <summary>How paths are shown to people.</summary>
internal static class Shown
{
    /// <summary>From where the user stands on, where the file lies below that; else whole.</summary>
    public static string Path(string path)
    {
        string relative = System.IO.Path.GetRelativePath(Environment.CurrentDirectory, path);
        return relative.StartsWith("..", StringComparison.Ordinal) || relative.Length > path.Length ? path : relative;
    }
}
