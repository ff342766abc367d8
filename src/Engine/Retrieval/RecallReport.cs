namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>What <see cref="Evaluation"/> found: recall@N with intervals, and each query's answers.</summary>
public sealed class RecallReport
{
    private readonly int[] firstHit;

    internal RecallReport(IReadOnlyList<int> depths, int[] firstHit, int[][] answers, int withoutTruth, int? sameTime = null)
    {
        Depths = depths;
        this.firstHit = firstHit;
        Answers = answers;
        WithoutTruth = withoutTruth;
        SameTime = sameTime;
    }

    /// <summary>The N of recall@N, ascending.</summary>
    public IReadOnlyList<int> Depths { get; }

    /// <summary>All queries of the split that could be read: the denominator, queries without any right image in the database included.</summary>
    public int Queries => firstHit.Length;

    /// <summary>Queries that no database image could answer.</summary>
    public int WithoutTruth { get; }

    /// <summary>
    /// Queries among whose first answers, as many as the greatest depth, stood images of the query's own time, which were left out; null where none were to be, and of a part.
    /// </summary>
    public int? SameTime { get; }

    /// <summary>For each query the rank, from 1, of its first right answer; 0 where there is none among the deepest.</summary>
    public IReadOnlyList<int> FirstHit => firstHit;

    /// <summary>For each query the database images answered, best first, as many as the greatest depth or as are left.</summary>
    public IReadOnlyList<int[]> Answers { get; }

    /// <summary>Queries with a right image among their first <paramref name="n"/> answers.</summary>
    public int Hits(int n) => firstHit.Count(rank => rank > 0 && rank <= n);

    /// <summary>Hits as a share of all queries, 0 … 1.</summary>
    public double Recall(int n) => Queries == 0 ? 0 : (double)Hits(n) / Queries;

    /// <summary>95 % interval of <see cref="Recall"/>.</summary>
    public WilsonInterval Interval(int n) => WilsonInterval.Of(Hits(n), Queries);

    /// <summary>The same for some of the queries only.</summary>
    /// <param name="withoutTruth">How many of them have no right image in the database.</param>
    public RecallReport Of(IReadOnlyList<int> queries, int withoutTruth = 0)
        => new(Depths, [.. queries.Select(q => firstHit[q])], [.. queries.Select(q => Answers[q])], withoutTruth);

    /// <summary>
    /// Tokyo 24/7 takes every place thrice, by day, at sunset and at night, in this order of its 1-based query index modulo 3: 1, 2, 0.
    /// </summary>
    /// <param name="numbers">Of each query, from 0, in the whole set that <see cref="TimesOfDay.Check"/> took; null where none of it is left out.</param>
    public (RecallReport Day, RecallReport Sunset, RecallReport Night) ByTimeOfDay(IReadOnlyList<int>? numbers = null)
    {
        RecallReport At(int time) => Of([.. Enumerable.Range(0, Queries).Where(q => (numbers is null ? q : numbers[q]) % 3 == time)]);
        return (At(0), At(1), At(2));
    }

    /// <summary>
    /// The order in which epochs are compared: recall@5, ties by recall@4, 3, 2, 1, then by 10, 15, … as the authors do. Positive where this is better.
    /// </summary>
    public int CompareTo(RecallReport other) => CompareHits(Signature(), other.Signature());

    /// <summary>Hits in the order of comparison.</summary>
    internal int[] Signature()
        => [.. new[] { 5, 4, 3, 2, 1 }.Concat(Depths.Where(n => n > 5)).Select(Hits)];

    internal static int CompareHits(ReadOnlySpan<int> a, ReadOnlySpan<int> b) => a.SequenceCompareTo(b);
}
