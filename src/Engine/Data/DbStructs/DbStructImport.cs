using System.Globalization;

namespace IlgpuNetVlad.Engine.Data.DbStructs;

/// <summary>
/// Makes a dataset out of the benchmarks' <c>dbStruct</c> files and the folder that their images lie in: one table, <c>images.csv</c>, with a split for each file; pictures stay where they are.
/// The order of the files is kept, since Tokyo 24/7's times of day and panoramas go by it.
/// </summary>
public sealed class DbStructImport
{
    /// <summary>Cutouts of each panorama of Tokyo 24/7, one after the other (datasets/dbTokyo247.m).</summary>
    private const int TokyoBlock = 12;

    private static readonly string[] DatabaseFolders = ["images", "", "database"], QueryFolders = ["queries", "query", "queries_real"], SharedFolders = ["images", ""];

    private readonly string root;
    private readonly List<(DbStruct Struct, ListedImages Database, ListedImages Queries, int Block)> parts = [];

    /// <summary>Reads the files and looks for their images.</summary>
    /// <param name="files">.mat files, each of another split.</param>
    /// <param name="images">The folder that holds the database's images, or folders <c>images</c> and <c>queries</c> (or <c>query</c>).</param>
    /// <param name="databaseFolder">Where the database's names go on from, below <paramref name="images"/>; null to look.</param>
    /// <param name="queryFolder">Where the queries' names go on from, below <paramref name="images"/>; null to look.</param>
    /// <param name="panoramaBlock">Images of the database, one after the other, that were cut from one panorama; 0 for none; null for 12 in files named after Tokyo 24/7.</param>
    /// <exception cref="UserErrorException">A file cannot be read, two are of the same split, or queries would be the database's own images.</exception>
    public DbStructImport(IReadOnlyList<string> files, string images, string? databaseFolder = null, string? queryFolder = null, int? panoramaBlock = null)
    {
        root = Path.GetFullPath(images);
        if (!Directory.Exists(root))
            throw new UserErrorException($"There is no folder {root}: name the one that the benchmark's images lie in.");
        foreach (string file in files)
        {
            var s = DbStruct.Read(file);
            if (parts.Find(p => p.Struct.Split == s.Split).Struct is { } same)
                throw new UserErrorException($"{same.File} and {file} are both of split {s.Split}: import them one by one, into two folders.");
            // Pittsburgh's queries and database share names: a query that is not in its folder must not be found in the database's.
            bool shared = s.HasTimes || !s.Queries.Names.Intersect(s.Database.Names).Any();
            var database = ListedImages.Find(root, databaseFolder is null ? DatabaseFolders : [databaseFolder], s.Database.Names);
            var queries = ListedImages.Find(root, queryFolder is not null ? [queryFolder] : shared ? [.. QueryFolders, .. SharedFolders] : QueryFolders, s.Queries.Names);
            if (!s.HasTimes && database.Paths.OfType<string>().Intersect(queries.Paths.OfType<string>()).FirstOrDefault() is { } both)
                throw new UserErrorException($"{both} is a query and a database image of {file} at once: name the folder of the queries with --queries.");
            int block = panoramaBlock ?? (Path.GetFileName(file).Contains("tokyo247", StringComparison.OrdinalIgnoreCase) ? TokyoBlock : 0);
            CheckBlocks(s, block);
            parts.Add((s, database, queries, block));
        }
    }

    /// <summary>Of each file, in the order given.</summary>
    public IReadOnlyList<DbStructSummary> Splits => [.. parts.Select(p => new DbStructSummary(
        p.Struct.File, p.Struct.Split, p.Struct.Database.Names.Length, p.Struct.Queries.Names.Length, p.Database.Missing + p.Queries.Missing,
        FirstMissing(p.Database, p.Struct.Database) ?? FirstMissing(p.Queries, p.Struct.Queries), p.Database.Folder, p.Queries.Folder,
        p.Block > 0 ? p.Struct.Database.Names.Length / p.Block : 0, p.Struct.HasTimes, [.. Notes(p.Struct, p.Queries)]))];

    /// <summary>Writes <c>images.csv</c>.</summary>
    /// <param name="allowMissing">Leave out images that are not there.</param>
    /// <returns>The file.</returns>
    /// <exception cref="UserErrorException">Images are missing, all or more than are allowed; or the place cannot be written.</exception>
    public string Write(string folder, bool allowMissing)
    {
        folder = Path.GetFullPath(folder);
        foreach (var s in Splits)
        {
            int listed = s.Database + s.Queries;
            if (s.Missing == listed)
                throw new UserErrorException(
                    $"{root} holds none of the {listed} images that {s.File} lists; the first was looked for at {s.FirstMissing}: name the folder that the names in the file go on from, or that holds images and queries.");
            if (s.Missing > 0 && !allowMissing)
                throw new UserErrorException(
                    $"{root} lacks {s.Missing} of the {listed} images that {s.File} lists; the first was looked for at {s.FirstMissing}: fetch them, or leave them out with --allow-missing.");
        }
        foreach (var p in parts)
            foreach (var (side, what) in new[] { (p.Database, "database images"), (p.Queries, "queries") })
                if (side.Missing == side.Paths.Length)
                    throw new UserErrorException($"{root} holds none of the {what} that {p.Struct.File} lists, looked for in {side.Folder}: name their folder with {(side == p.Queries ? "--queries" : "--database")}.");
        return ImageTableWriter.Write(
            folder, ["path", "set", "split", "easting", "northing", "time", "panorama", ImageTableReader.OrderColumn],
            parts.SelectMany(p => Rows(folder, p.Struct.Split, p.Struct.Database, p.Database, "database", p.Block).Concat(Rows(folder, p.Struct.Split, p.Struct.Queries, p.Queries, "query", 0)))
                .Select((row, i) => (string[])[.. row, i.ToString(CultureInfo.InvariantCulture)]));
    }

    private static IEnumerable<string[]> Rows(string folder, string split, DbStructSide side, ListedImages found, string set, int block)
    {
        for (int i = 0; i < side.Names.Length; i++)
            if (found.Paths[i] is { } path)
                yield return
                [
                    ImageTableWriter.PathFrom(folder, path), set, split, side.Easting(i).ToString(CultureInfo.InvariantCulture), side.Northing(i).ToString(CultureInfo.InvariantCulture), side.Times?[i] ?? "",
                    block > 0 ? string.Create(CultureInfo.InvariantCulture, $"{split}-{i / block}") : "",
                ];
    }

    /// <summary>A block that is not of one place shows that the order, or its length, is another.</summary>
    private static void CheckBlocks(DbStruct s, int block)
    {
        if (block == 0)
            return;
        var d = s.Database;
        if (d.Names.Length % block != 0)
            throw new UserErrorException($"{s.File} lists {d.Names.Length} database images, which are no blocks of {block}: say with --panorama-block how many were cut from a panorama, or 0.");
        for (int i = 0; i < d.Names.Length; i++)
            if ((d.Easting(i), d.Northing(i)) != (d.Easting(i - i % block), d.Northing(i - i % block)))
                throw new UserErrorException(
                    $"{d.Names[i]} and {d.Names[i - i % block]} in {s.File} lie apart, so they are not of one panorama: say with --panorama-block how many were cut from a panorama, or 0.");
    }

    private static string? FirstMissing(ListedImages found, DbStructSide side)
        => Array.IndexOf(found.Paths, null) is >= 0 and var i ? Path.GetFullPath(Path.Combine(found.Folder, side.Names[i])) : null;

    private static IEnumerable<string> Notes(DbStruct s, ListedImages queries)
    {
        var rules = new DatasetRules();
        if (s.TestRadius is { } test && test != rules.TestRadius)
            yield return string.Create(CultureInfo.InvariantCulture, $"{s.File} calls an answer right within {test:0.##} m (posDistThr), and {rules.TestRadius:0.##} m are taken here: give eval --test-radius {test:0.##}.");
        if (s.TrainRadius is { } train && train != rules.TrainRadius)
            yield return string.Create(CultureInfo.InvariantCulture, $"{s.File} takes positives within {train:0.##} m (nonTrivPosDistSqThr), and {rules.TrainRadius:0.##} m are taken here.");
        if (queries.Missing > 0)
            yield return $"Queries of {s.File} are left out, so the rest no longer go day, sunset, night by turns: eval's --times-of-day means nothing here.";
    }
}
