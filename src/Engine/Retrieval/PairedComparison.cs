using MathNet.Numerics.Distributions;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>
/// Two results on the same queries. Whether one is better hangs on the queries that only one of them answers: with no difference each of
/// those falls to either side like a coin (McNemar's test, exact; Psychometrika 12, 1947).
/// </summary>
/// <param name="OnlyFirst">Queries that only the first result answers.</param>
/// <param name="OnlySecond">Queries that only the second answers.</param>
/// <param name="PValue">Chance of a split at least as uneven, were there no difference; two-sided, 0 … 1.</param>
public readonly record struct PairedComparison(int OnlyFirst, int OnlySecond, double PValue)
{
    /// <param name="depth">N of recall@N.</param>
    public static PairedComparison Of(RecallReport first, RecallReport second, int depth = 1)
    {
        if (first.Queries != second.Queries)
            throw new ArgumentException($"Results of {first.Queries} and {second.Queries} queries cannot be paired.");
        int onlyFirst = 0, onlySecond = 0;
        for (int q = 0; q < first.Queries; q++)
        {
            bool a = first.FirstHit[q] is var x && x > 0 && x <= depth, b = second.FirstHit[q] is var y && y > 0 && y <= depth;
            if (a && !b)
                onlyFirst++;
            else if (b && !a)
                onlySecond++;
        }
        int split = onlyFirst + onlySecond;
        double p = split == 0 ? 1 : Math.Min(1, 2 * Binomial.CDF(0.5, split, Math.Min(onlyFirst, onlySecond)));
        return new(onlyFirst, onlySecond, p);
    }
}
