using System.Globalization;

namespace IlgpuNetVlad.Engine.Data.Walks;

/// <summary>
/// Makes a set for training and test out of films taken while walking through a building, such that no answer is a neighbour in time of its query.
/// The folder holds <c>frames.csv</c> with the columns image (from the folder on), level, area, sequence and frame (a second apart).
/// <para>
/// A place is a level's area. Each walk is cut into blocks that are in turn the database's and the queries', with a gap left out between them: a right answer is a frame of
/// another walk through the same area, or one of the same walk at least so many seconds before or after. Whole levels are held out: of each five, in the order of their
/// names, the second chooses the epoch and the fourth is tested.
/// </para>
/// </summary>
public sealed class WalkSet
{
    /// <summary>Name of the table that is read.</summary>
    public const string FramesFile = "frames.csv";

    private static readonly string[] SplitOfFive = ["train", "val", "train", "test", "train"];
    private readonly List<(WalkFrame Frame, bool IsQuery)> chosen = [];
    private readonly Dictionary<string, string> splits;

    /// <param name="gap">Least seconds between a query and a database frame of the same walk, 2 or more.</param>
    /// <param name="block">Frames of the database, and of the queries, before the next gap; 1 or more.</param>
    /// <exception cref="UserErrorException">The table cannot be read, or has too few levels or too short walks.</exception>
    public WalkSet(string folder, int gap, int block)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(gap, 2);
        ArgumentOutOfRangeException.ThrowIfLessThan(block, 1);
        string file = Path.Combine(Path.GetFullPath(folder), FramesFile);
        if (!File.Exists(file))
            throw new UserErrorException($"There is no {file}: name a folder of films with this table of their frames.");
        var frames = Read(file);
        string[] levels = [.. frames.Select(f => f.Level).Distinct().Order(StringComparer.Ordinal)];
        if (levels.Length < 4)
            throw new UserErrorException($"{file} has {levels.Length} levels; whole levels are held out, which takes at least 4.");
        splits = levels.Select((level, i) => (level, SplitOfFive[i % 5])).ToDictionary();
        int period = 2 * (block + gap - 1);
        foreach (var walk in frames.GroupBy(f => (f.Place, f.Sequence)))
        {
            int start = walk.Min(f => f.Second);
            foreach (var frame in walk)
                if ((frame.Second - start) % period is var at && at % (period / 2) < block)
                    chosen.Add((frame, at >= period / 2));
        }
        foreach (string split in SplitOfFive.Distinct())
            if (!chosen.Any(c => c.IsQuery && splits[c.Frame.Level] == split))
                throw new UserErrorException($"No walk of split {split} in {file} is long enough for a query, {block} + {gap} frames: take a smaller gap or block.");
    }

    /// <summary>Names of the splits.</summary>
    public static IReadOnlyList<string> Splits { get; } = [.. SplitOfFive.Distinct()];

    /// <summary>Frames that lie in a gap and are left out are none of these.</summary>
    public int Images => chosen.Count;

    /// <summary>What a split holds.</summary>
    public WalkSummary Summary(string split)
    {
        var mine = chosen.Where(c => splits[c.Frame.Level] == split).ToArray();
        var database = mine.Where(c => !c.IsQuery).ToLookup(c => c.Frame.Place, c => c.Frame);
        var queries = mine.Where(c => c.IsQuery).Select(c => c.Frame).ToArray();
        IEnumerable<int> Gaps(WalkFrame q) => database[q.Place].Where(d => d.Sequence == q.Sequence).Select(d => Math.Abs(d.Second - q.Second));
        return new(
            split,
            splits.Values.Count(s => s == split),
            mine.Length - queries.Length,
            queries.Length,
            queries.Count(q => database[q.Place].Any(d => d.Sequence != q.Sequence)),
            Spread.Of(queries.Select(q => Gaps(q).Min())),
            Spread.Of(queries.SelectMany(Gaps)));
    }

    /// <summary>Writes <c>images.csv</c> into a folder; pictures stay where they are and are named from there.</summary>
    /// <returns>The file.</returns>
    /// <exception cref="UserErrorException">The place cannot be written.</exception>
    public string Write(string folder)
    {
        folder = Path.GetFullPath(folder);
        return ImageTableWriter.Write(
            folder, ["path", "set", "split", "place"],
            chosen.Select(c => new[] { ImageTableWriter.PathFrom(folder, c.Frame.Path), c.IsQuery ? "query" : "database", splits[c.Frame.Level], c.Frame.Place }));
    }

    private static List<WalkFrame> Read(string file)
    {
        var table = new CsvTable(file, "image", "level", "area", "sequence", "frame");
        var frames = new List<WalkFrame>();
        for (int row = 0; row < table.Count; row++)
        {
            string second = table.Required(row, "frame");
            frames.Add(new(
                Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, table.Required(row, "image"))), table.Required(row, "level"), table.Required(row, "area"),
                table.Required(row, "sequence"),
                int.TryParse(second, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : throw table.Wrong(row, $"the frame '{second}' is no whole number")));
        }
        return [.. frames.OrderBy(f => f.Level, StringComparer.Ordinal).ThenBy(f => f.Sequence, StringComparer.Ordinal).ThenBy(f => f.Second)];
    }
}
