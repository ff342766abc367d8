namespace IlgpuNetVlad.Engine.Data.DbStructs;

/// <summary>Where the images lie that a list names: the benchmarks come in several arrangements of folders.</summary>
/// <param name="Folder">The names go on from here: of the folders that were looked through the one with most of them.</param>
/// <param name="Paths">Of each name its file, or null where there is none.</param>
internal sealed record ListedImages(string Folder, string?[] Paths)
{
    // Tokyo 24/7 lists its database as .jpg and comes as .png.
    private static readonly string[] Endings = ["", ".png", ".jpg", ".jpeg", ".JPG", ".webp"];

    public int Missing => Paths.Count(p => p is null);

    /// <summary>Looks for images.</summary>
    /// <param name="folders">To look in, below the root; of two with as many the first wins.</param>
    public static ListedImages Find(string root, IEnumerable<string> folders, string[] names)
    {
        ListedImages? best = null;
        foreach (string folder in folders.Select(f => Path.GetFullPath(Path.Combine(root, f))).Distinct())
        {
            if (!Directory.Exists(folder) && best is not null)
                continue;
            var found = new ListedImages(folder, PathsIn(folder, names));
            if (best is null || found.Missing < best.Missing)
                best = found;
            if (best.Missing == 0)
                break;
        }
        return best!;
    }

    private static string?[] PathsIn(string folder, string[] names)
    {
        var paths = new string?[names.Length];
        if (!Directory.Exists(folder))
            return paths;
        // What the last one was called, the next one mostly is too.
        string usual = "";
        for (int i = 0; i < names.Length; i++)
            foreach (string ending in Endings.Prepend(usual))
            {
                string path = Path.GetFullPath(Path.Combine(folder, ending.Length == 0 ? names[i] : Path.ChangeExtension(names[i], ending)));
                if (!File.Exists(path))
                    continue;
                (paths[i], usual) = (path, ending);
                break;
            }
        return paths;
    }
}
