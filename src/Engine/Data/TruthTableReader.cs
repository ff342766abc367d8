namespace IlgpuNetVlad.Engine.Data;

/// <summary>
/// Reads a folder that holds <c>database/</c>, <c>query/</c> or <c>queries/</c>, and <c>ground_truth.csv</c> with the columns query and database.
/// A query with several right answers has several rows, or a list between ; or |. Files are named from the folder of the table on
/// (query/0001.jpg) or by their place in their own folder (0001.jpg). Images that no row names stay: queries without an answer, and database
/// images that are wrong for all.
/// </summary>
internal static class TruthTableReader
{
    public const string FileName = "ground_truth.csv";

    public static Dataset Read(string folder, string split, DatasetRules rules)
    {
        var file = Path.Combine(folder, FileName);
        var databaseFolder = Path.Combine(folder, "database");
        var queryFolder = NamedFileReader.QueryFolder(folder);
        if (queryFolder is null || !Directory.Exists(databaseFolder))
            throw new UserErrorException($"{file} needs two folders of images beside it, database and query (or queries); {folder} lacks {(queryFolder is null ? "the queries" : "the database")}.");
        var database = new Side(folder, databaseFolder);
        var queries = new Side(folder, queryFolder);
        var table = new CsvTable(file, "query", "database");
        var truth = new List<int>[queries.Images.Length];
        for (var q = 0; q < truth.Length; q++)
            truth[q] = [];
        for (var row = 0; row < table.Count; row++)
        {
            var name = table.Required(row, "query");
            var query = queries.Find(name) ?? throw table.Wrong(row, $"there is no query image {name} in {queryFolder}");
            foreach (var answer in (table.Text(row, "database") ?? "").Split([';', '|'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
                truth[query].Add(database.Find(answer) ?? throw table.Wrong(row, $"there is no database image {answer} in {databaseFolder}"));
        }

        return DatasetReader.Cut(new Dataset(DatasetReader.NameOf(folder), DatasetReader.All, database.Images, queries.Images, rules, truth) { PassedOver = NamedFileReader.PassedOver(folder) }, split, folder);
    }

    /// <summary>The images of one folder, to be found by the names that a table uses.</summary>
    private sealed class Side
    {
        private readonly Dictionary<string, int> byName = new(StringComparer.Ordinal);

        public Side(string root, string folder)
        {
            var paths = ImageFiles.Under(folder);
            Images = [.. paths.Select(path => new ImageRecord(path, double.NaN, double.NaN, null, null, null, null))];
            for (var i = 0; i < paths.Length; i++)
                byName[Name(root, paths[i])] = i;
            // The shorter names come second: they never hide a longer one.
            for (var i = 0; i < paths.Length; i++)
                byName.TryAdd(Name(folder, paths[i]), i);
        }

        public ImageRecord[] Images { get; }

        public int? Find(string name)
        {
            name = name.Replace('\\', '/');
            return byName.TryGetValue(name.StartsWith("./", StringComparison.Ordinal) ? name[2..] : name, out var i) ? i : null;
        }

        private static string Name(string root, string path) => Path.GetRelativePath(root, path).Replace('\\', '/');
    }
}
