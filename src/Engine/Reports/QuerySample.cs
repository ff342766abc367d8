namespace IlgpuNetVlad.Engine.Reports;

/// <summary>
/// A few of many queries to show. <see cref="Proportional"/> takes them before and after training, such that a picture of them tells what the numbers tell: queries that are right in both, gained,
/// lost and wrong in both stand in it in proportion, each kind spread evenly over the set.
/// </summary>
public static class QuerySample
{
    /// <param name="before">For each query whether its first answer was right.</param>
    /// <param name="after">The same afterwards.</param>
    /// <param name="rows">Queries to choose; all where there are fewer.</param>
    /// <returns>Their numbers, ascending.</returns>
    public static int[] Proportional(IReadOnlyList<bool> before, IReadOnlyList<bool> after, int rows)
    {
        int count = before.Count;
        if (count <= rows)
            return [.. Enumerable.Range(0, count)];
        var kinds = Enumerable.Range(0, count).GroupBy(q => (before[q], after[q])).Select(g => g.ToArray()).ToArray();
        // Largest remainders: whole parts first, then one each for those that lost most to rounding.
        int[] shares = [.. kinds.Select(k => rows * k.Length / count)];
        foreach (int k in Enumerable.Range(0, kinds.Length).OrderByDescending(k => rows * kinds[k].Length % count).Take(rows - shares.Sum()))
            shares[k]++;
        return [.. kinds.Zip(shares).SelectMany(k => Spread(k.First, k.Second)).Order()];
    }

    /// <summary>How many queries are of each of the four kinds, in words.</summary>
    public static string Tally(IReadOnlyList<bool> before, IReadOnlyList<bool> after)
    {
        int Count(bool was, bool isNow) => before.Zip(after).Count(q => q == (was, isNow));
        return $"{Count(true, true)} right before and after, {Count(false, true)} gained, {Count(true, false)} lost, {Count(false, false)} wrong";
    }

    /// <summary>Some queries of one kind, spread evenly over the set.</summary>
    /// <param name="which">For each query whether it is of that kind.</param>
    /// <param name="rows">Queries to choose; all of the kind where there are fewer.</param>
    /// <returns>Their numbers, ascending.</returns>
    public static int[] Of(IReadOnlyList<bool> which, int rows)
    {
        int[] kind = [.. Enumerable.Range(0, which.Count).Where(q => which[q])];
        return [.. Spread(kind, Math.Min(rows, kind.Length))];
    }

    private static IEnumerable<int> Spread(int[] queries, int rows) => Enumerable.Range(0, rows).Select(i => queries[(int)((i + 0.5) * queries.Length / rows)]);
}
