using IlgpuNetVlad.Engine.Data;

namespace IlgpuNetVlad.Engine.Studies;

/// <summary>
/// Cross-validation by place, for sets too small to spare enough queries for one test: the queries, in their order, are cut into runs of equal length (but for one), and each run is tested by
/// networks that learnt from other places. In the end every query has been asked once.
/// </summary>
/// <param name="Count">Runs, and so trainings of a row and seed; 2 or more.</param>
/// <param name="Validation">Queries that choose the epoch: those after the tested ones, round the end to the beginning; 1 or more. The others are learnt from.</param>
public sealed record StudyFolds(int Count, int Validation)
{
    /// <summary>Splits of one fold.</summary>
    /// <param name="fold">1 … <see cref="Count"/>.</param>
    /// <param name="queries">Of the whole set.</param>
    /// <exception cref="UserErrorException">A fold would leave nothing to test or to learn from.</exception>
    public StudySplits Of(int fold, int queries)
    {
        int start = (int)((fold - 1L) * queries / Count), end = (int)((long)fold * queries / Count);
        if (Count > queries || end - start + Validation >= queries)
            throw new UserErrorException($"{Count} folds with {Validation} queries for validation do not fit to {queries} queries: each fold must have some to test and some to learn from.");
        return new(Split(end + Validation, start + queries, queries), Split(end, end + Validation, queries), Split(start, end, queries));
    }

    /// <summary>Queries from start to end, which may lie behind the last one and then go on from the first.</summary>
    private static string Split(int start, int end, int queries)
    {
        if (start >= queries)
            (start, end) = (start - queries, end - queries);
        return new QueryRanges(end <= queries ? [(start, end)] : [(0, end - queries), (start, queries)]).ToString();
    }
}
