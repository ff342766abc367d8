namespace IlgpuNetVlad.Engine.Data;

/// <summary>
/// Opens a dataset in any of the layouts that are understood, found out by looking:
/// <list type="bullet">
/// <item><c>images/{split}/database</c> and <c>queries</c> with positions in the file names (see <see cref="NamedFileReader"/>), or a folder
/// that holds <c>database</c> and <c>queries</c> itself;</item>
/// <item><c>database</c>, <c>query</c> or <c>queries</c>, and <c>ground_truth.csv</c> (see <see cref="TruthTableReader"/>);</item>
/// <item><c>images.csv</c>, or a table of that form under another name (see <see cref="ImageTableReader"/>).</item>
/// </list>
/// Where the truth is listed, a split may also be half-open ranges of queries, <c>0-350</c> or <c>0-100,200-350</c>, with the database images that answer them,
/// <c>0-350/all</c>, with the whole database, or <c>all</c>.
/// </summary>
public static class DatasetReader
{
    /// <summary>Name of the split that is everything.</summary>
    public const string All = "all";

    /// <summary>Opens one split. The images themselves are not looked at; <see cref="Dataset.Check"/> does that.</summary>
    /// <exception cref="UserErrorException">There is no dataset, no such split, or what is there cannot be read: the sentence names file and line.</exception>
    public static Dataset Open(string path, string split, DatasetRules? rules = null)
    {
        path = FullPath(path);
        rules ??= new DatasetRules();
        if (File.Exists(path))
            return ImageTableReader.Read(path, split, rules);
        if (!Directory.Exists(path))
            throw new UserErrorException($"There is no dataset at {path}; name a folder, or a table of images.");
        if (File.Exists(Path.Combine(path, ImageTableReader.FileName)))
            return ImageTableReader.Read(Path.Combine(path, ImageTableReader.FileName), split, rules);
        if (File.Exists(Path.Combine(path, TruthTableReader.FileName)))
            return TruthTableReader.Read(path, split, rules);
        if (NamedFileReader.Folder(path, split) is { } folder)
            return NamedFileReader.Read(NameOf(path), folder, split, rules);
        var splits = NamedFileReader.Splits(path);
        throw splits.Count > 0
            ? new UserErrorException($"{path} has no split {split}; it has {string.Join(", ", splits)}.")
            : new UserErrorException(
                $"{path} is no dataset: it holds neither {ImageTableReader.FileName}, nor {TruthTableReader.FileName}, nor folders database and queries, "
                + "nor images/<split>/database and queries.");
    }

    /// <summary>Names of the splits of a dataset, sorted; "all" alone where it has none.</summary>
    /// <exception cref="UserErrorException">There is no dataset.</exception>
    public static IReadOnlyList<string> Splits(string path)
    {
        path = FullPath(path);
        if (File.Exists(path))
            return ImageTableReader.Splits(path);
        if (File.Exists(Path.Combine(path, ImageTableReader.FileName)))
            return ImageTableReader.Splits(Path.Combine(path, ImageTableReader.FileName));
        if (File.Exists(Path.Combine(path, TruthTableReader.FileName)))
            return [All];
        var splits = NamedFileReader.Splits(path);
        if (splits.Count == 0)
            Open(path, All);
        return splits;
    }

    /// <summary>What a set is called: the name of its folder.</summary>
    internal static string NameOf(string folder) => Path.GetFileName(Path.TrimEndingDirectorySeparator(folder));

    /// <summary>Cuts a whole set with listed truth down to what a split asks for: everything, or a range of its queries with all their answers.</summary>
    internal static Dataset Cut(Dataset whole, string split, string source)
    {
        if (split == All)
            return whole;
        if (QueryRanges.Parse(split) is not { } ranges)
            throw new UserErrorException($"{source} has no split {split}; ask for {All}, or for ranges of its {whole.Queries.Count} queries, ascending, such as 0-100 or 0-100,200-300.");
        if (!whole.HasExplicitTruth)
            throw new UserErrorException($"The split {split} of {source} is a range, which needs a listed truth; this set has positions, so name a split instead.");
        if (ranges.End > whole.Queries.Count)
            throw new UserErrorException($"The split {split} of {source} runs past its {whole.Queries.Count} queries; the range is half open, from 0.");
        int[] queries = [.. ranges.Queries];
        return whole.Restrict(queries, ranges.WholeDatabase ? Enumerable.Range(0, whole.Database.Count) : queries.SelectMany(whole.GroundTruth).Distinct().Order(), split);
    }

    private static string FullPath(string path)
        => string.IsNullOrWhiteSpace(path) ? throw new UserErrorException("The path of the dataset is empty; name a folder.") : Path.GetFullPath(path);
}
