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

    /// <summary>The name of a file, its middle left out where it is long, as names are that hold a position and much else.</summary>
    public static string Name(string path)
    {
        const int most = 40;
        string name = System.IO.Path.GetFileName(path);
        return name.Length <= most ? name : $"{name[..(most / 2)]}…{name[^(most / 2 - 1)..]}";
    }
}
