namespace IlgpuNetVlad.Engine.Data;

/// <summary>
/// One split of a set of places: database images, query images, and the truth, which follows either from positions or from a list of the right
/// answers of each query. Immutable, and safe to ask from several threads.
/// </summary>
public sealed class Dataset
{
    private readonly int[][]? truth;
    private readonly Lazy<GridIndex> grid;

    /// <param name="truth">Database indices that are right for each query; null to judge by positions, which every image must then have.</param>
    /// <exception cref="ArgumentException">Truth and images do not fit.</exception>
    public Dataset(
        string name, string split, IReadOnlyList<ImageRecord> database, IReadOnlyList<ImageRecord> queries, DatasetRules? rules = null,
        IReadOnlyList<IEnumerable<int>>? truth = null)
    {
        Name = name;
        Split = split;
        Database = database;
        Queries = queries;
        Rules = rules ?? new DatasetRules();
        if (truth is not null)
        {
            if (truth.Count != queries.Count)
                throw new ArgumentException($"{truth.Count} lists of answers for {queries.Count} queries", nameof(truth));
            this.truth = [.. truth.Select(answers => answers.Distinct().Order().ToArray())];
            if (this.truth.Any(answers => answers.Length > 0 && (answers[0] < 0 || answers[^1] >= database.Count)))
                throw new ArgumentException($"an answer is not one of the {database.Count} database images", nameof(truth));
        }
        else if (database.Concat(queries).FirstOrDefault(image => !image.HasPosition) is { } lost)
        {
            throw new ArgumentException($"{lost.Path} has no position", nameof(database));
        }

        grid = new Lazy<GridIndex>(() => new GridIndex(Database, Math.Max(1, Rules.TestRadius)));
        HasTimes = queries.Any(image => image.Time is not null) && database.Any(image => image.Time is not null);
    }

    /// <summary>Name of the set: that of its folder.</summary>
    public string Name { get; }

    /// <summary>Name of the split, "all", or ranges of queries such as "0-350" or "0-100,200-350".</summary>
    public string Split { get; }

    public IReadOnlyList<ImageRecord> Database { get; }

    public IReadOnlyList<ImageRecord> Queries { get; }

    public DatasetRules Rules { get; }

    /// <summary>Files in the set's folders that look like pictures and are not read: see <see cref="ImageFiles.PassedOver"/>. Empty where the images are listed.</summary>
    public IReadOnlyDictionary<string, int> PassedOver { get; internal init; } = new Dictionary<string, int>();

    /// <summary>True if the right answers are listed and not computed from positions.</summary>
    public bool HasExplicitTruth => truth is not null;

    /// <summary>True if times are known of queries and database images; single images may still lack one.</summary>
    public bool HasTimes { get; }

    /// <summary>
    /// Database images that may serve as positives of query <paramref name="q"/> in training, ascending: within
    /// <see cref="DatasetRules.TrainRadius"/> or listed, and chosen by capture time where both have one (see
    /// <see cref="DatasetRules.TimeMachine"/>), else farther than <see cref="DatasetRules.SelfRadius"/>. Never the query's own file.
    /// </summary>
    public int[] PotentialPositives(int q)
    {
        var query = Queries[q];
        IEnumerable<int> near = truth is null ? grid.Value.Within(query, Rules.TrainRadius) : truth[q];
        return [.. near.Where(d => MayTeach(query, Database[d]))];
    }

    /// <summary>True if database image <paramref name="d"/> certainly shows another place: farther than <see cref="DatasetRules.NegativeRadius"/>, or
    /// not listed.</summary>
    public bool IsNegative(int q, int d)
        => truth is null
            ? Queries[q].DistanceSquared(Database[d]) > Rules.NegativeRadius * Rules.NegativeRadius
            : Array.BinarySearch(truth[q], d) < 0;

    /// <summary>How many database images <see cref="IsNegative"/> is true of, without asking each.</summary>
    public int CountNegatives(int q)
        => Database.Count - (truth is null ? grid.Value.Within(Queries[q], Rules.NegativeRadius).Count : truth[q].Length);

    /// <summary>Right answers of query <paramref name="q"/>, ascending: within <see cref="DatasetRules.TestRadius"/>, or listed. Those of the query's own
    /// time are among them: see <see cref="SharesTime"/>.</summary>
    public int[] GroundTruth(int q) => truth is null ? [.. grid.Value.Within(Queries[q], Rules.TestRadius)] : [.. truth[q]];

    /// <summary>True if both times are known and equal: such an answer is dropped at validation, being the query itself or its neighbour in the same
    /// drive.</summary>
    public bool SharesTime(int q, int d) => Queries[q].Time is { } time && Database[d].Time == time;

    /// <summary>The panorama that database image <paramref name="d"/> was cut from; null where unknown.</summary>
    public string? Block(int d) => Database[d].Panorama;

    /// <summary>The same set with some of its queries and database images, in the order given.</summary>
    /// <param name="split">Name of the part; that of the whole where none is given.</param>
    public Dataset Restrict(IEnumerable<int> queries, IEnumerable<int> database, string? split = null)
    {
        int[] q = [.. queries], d = [.. database];
        IReadOnlyList<IEnumerable<int>>? truth = null;
        if (this.truth is not null)
        {
            var place = new Dictionary<int, int>();
            for (var i = 0; i < d.Length; i++)
                place.TryAdd(d[i], i);
            truth = [.. q.Select(i => this.truth[i].Where(place.ContainsKey).Select(old => place[old]))];
        }

        return new Dataset(Name, split ?? Split, [.. d.Select(i => Database[i])], [.. q.Select(i => Queries[i])], Rules, truth) { PassedOver = PassedOver };
    }

    /// <summary>Tells of <see cref="PassedOver"/> in one line, where there is something to tell.</summary>
    public void TellPassedOver(IProgressSink? progress)
    {
        if (PassedOver.Count > 0)
            progress?.Line($"{Title}: {ImageFiles.Told(PassedOver)}");
    }

    /// <summary>The same set with other panorama ids, one a database image.</summary>
    internal Dataset WithPanoramas(IReadOnlyList<string> panoramas)
        => new(Name, Split, [.. Database.Select((image, d) => image with { Panorama = panoramas[d] })], Queries, Rules, truth) { PassedOver = PassedOver };

    /// <summary>Looks for what would make every result worthless: missing files, no right answers at all, queries that are their own answer, and nothing but right answers, as where
    /// positions are in degrees.</summary>
    /// <exception cref="UserErrorException">One of these, named.</exception>
    public void Check() => Check(keepSameTime: false);

    /// <param name="keepSameTime">Answers of the query's own time count: see <see cref="SharesTime"/>.</param>
    /// <inheritdoc cref="Check()"/>
    public void Check(bool keepSameTime)
    {
        if (Queries.Count == 0 || Database.Count == 0)
            throw new UserErrorException($"{Title} has {Queries.Count} queries and {Database.Count} database images; it needs at least one of each.");
        var (database, queries) = FileLengths();
        bool answered = false, answeredAtOwnTime = false;
        var own = new List<ImageRecord>();
        for (var q = 0; q < Queries.Count; q++)
        {
            var truth = GroundTruth(q);
            var answers = keepSameTime ? truth : truth.Where(d => !SharesTime(q, d)).ToArray();
            answered |= answers.Length > 0;
            answeredAtOwnTime |= truth.Length > answers.Length;
            // A copy under another name is found by its contents, which are read only where the lengths agree.
            if (answers.Any(d => Queries[q].Path == Database[d].Path || queries[q] == database[d] && SameBytes(Queries[q].Path, Database[d].Path)))
                own.Add(Queries[q]);
        }

        if (!answered)
            throw new UserErrorException(
                $"{Title} holds no right answer to any of its {Queries.Count} queries: " + (answeredAtOwnTime, HasExplicitTruth) switch
                {
                    (true, true) => $"its truth names only images of the query's own time, which are left out; {OwnTimeAdvice}",
                    (true, false) => $"no database image of another time lies within {Rules.TestRadius:0.##} m of a query; {OwnTimeAdvice}",
                    (false, true) => "its truth names none; check the truth file.",
                    (false, false) => $"no database image lies within {Rules.TestRadius:0.##} m of a query; check that all positions are in metres and in one zone.",
                });
        if (own.Count > 0)
            throw new UserErrorException(
                $"{Title} has {own.Count} of {Queries.Count} queries whose own photograph is a right answer, so that recall would mean nothing "
                + $"(the first is {own[0].Path}); take these images out of the database, or give capture times.");
        if (Database.Count > 1 && IsAnyAnswerRight())
            throw new UserErrorException(
                $"{Title} has {Database.Count} database images that are all right answers of every query, so that recall would be 100 % whatever is answered: " + (HasExplicitTruth
                    ? "check the truth file, or add database images of other places."
                    : $"they all lie within {Rules.TestRadius:0.##} m of every query (are the positions in degrees?); give them in metres, such as UTM, or add database images of other places."));
    }

    /// <summary><see cref="Check"/>, and that training finds something to learn from.</summary>
    /// <exception cref="UserErrorException">No query has a potential positive, or none has a negative.</exception>
    public void CheckTraining()
    {
        Check();
        var taught = Enumerable.Range(0, Queries.Count).Where(q => PotentialPositives(q).Length > 0).ToArray();
        if (taught.Length == 0)
            throw new UserErrorException(
                $"{Title} has no potential positive for any of its {Queries.Count} queries, so nothing can be learnt: " + (HasTimes
                    ? Rules.TimeMachine ? "no image of the same place comes from another time." : "no image of the same place comes from the query's own time."
                    : $"no database image lies between {Rules.SelfRadius:0.##} m and {Rules.TrainRadius:0.##} m of a query."));
        if (taught.All(q => CountNegatives(q) == 0))
            throw new UserErrorException(
                $"{Title} has no definite negative for any query, so nothing can be learnt: every database image is an answer"
                + (HasExplicitTruth ? "." : $" or lies within {Rules.NegativeRadius:0.##} m."));
    }

    /// <summary>Not by the grid, which for one query would list the whole database: mostly the first pair tells.</summary>
    private bool IsAnyAnswerRight()
    {
        double radius = Rules.TestRadius * Rules.TestRadius;
        return truth is null
            ? Queries.All(query => Database.All(image => query.DistanceSquared(image) <= radius))
            : truth.All(answers => answers.Length == Database.Count);
    }

    private const string OwnTimeAdvice = "check the capture times, or let `eval --same-time keep` count images of the query's own time too.";

    private string Title => Split == "all" ? $"The dataset {Name}" : $"Split {Split} of the dataset {Name}";

    private bool MayTeach(ImageRecord query, ImageRecord candidate)
    {
        if (candidate.Path == query.Path)
            return false;
        if (query.Time is { } mine && candidate.Time is { } theirs)
        {
            if (Rules.TimeMachine)
                return mine != theirs;
            if (mine != theirs)
                return false;
        }

        return truth is not null || query.DistanceSquared(candidate) > Rules.SelfRadius * Rules.SelfRadius;
    }

    private static bool SameBytes(string a, string b) => File.ReadAllBytes(a).AsSpan().SequenceEqual(File.ReadAllBytes(b));

    /// <summary>Bytes of every file, which must be there.</summary>
    private (long[] Database, long[] Queries) FileLengths()
    {
        List<string> missing = [];
        long[] database = [.. Database.Select(Length)], queries = [.. Queries.Select(Length)];
        return missing.Count == 0
            ? (database, queries)
            : throw new UserErrorException(
                $"{Title} lacks {missing.Count} of its {Database.Count + Queries.Count} image files; the first that is missing is {missing[0]}.");

        long Length(ImageRecord image)
        {
            if (FileState.Of(image.Path) is { } file)
                return file.Length;
            missing.Add(image.Path);
            return 0;
        }
    }
}
