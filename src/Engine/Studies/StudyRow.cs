using System.Globalization;
using IlgpuNetVlad.Engine.Retrieval;
using MathNet.Numerics.Distributions;
using MathNet.Numerics.Statistics;

namespace IlgpuNetVlad.Engine.Studies;

/// <summary>One row of a study's table: the same thing measured with every seed on the same queries.</summary>
public sealed record StudyRow(string Name, IReadOnlyList<StudyMeasurement> Seeds)
{
    public int Queries => Seeds[0].FirstHit.Length;

    /// <summary>Mean over the seeds, 0 … 1.</summary>
    public double Recall(int n) => Seeds.Select(s => s.Recall(n)).Mean();

    /// <summary>Standard deviation over the seeds; 0 for one.</summary>
    public double Spread(int n) => Seeds.Count < 2 ? 0 : Seeds.Select(s => s.Recall(n)).StandardDeviation();

    /// <summary>Recall in %, and its spread where there are several seeds, as tables show them.</summary>
    public string Share(int n)
        => string.Create(CultureInfo.InvariantCulture, $"{100 * Recall(n):0.0}{(Seeds.Count > 1 ? string.Create(CultureInfo.InvariantCulture, $" ± {100 * Spread(n):0.0}") : "")}");

    /// <summary>
    /// 95 % interval of the mean for other queries of the same kind: Wilson's, of the mean number of hits, rounded. It does not get narrower with more seeds, which ask the same queries.
    /// </summary>
    public WilsonInterval Interval(int n) => WilsonInterval.Of((int)Math.Round(Recall(n) * Queries, MidpointRounding.AwayFromZero), Queries);

    /// <summary>
    /// Chance that two rows without a difference differ as much at recall@1, two-sided. The queries are what chance draws, so each counts once: a query speaks for the row that hit it
    /// with more seeds, and like a coin where there is no difference (an exact sign test; with one seed McNemar's).
    /// </summary>
    /// <returns>Queries that speak for this row, for the other, and the chance.</returns>
    public PairedComparison Against(StudyRow other)
    {
        int mine = 0, theirs = 0;
        for (int q = 0; q < Queries; q++)
        {
            double difference = Seeds.Count(s => s.Hits(q, 1)) / (double)Seeds.Count - other.Seeds.Count(s => s.Hits(q, 1)) / (double)other.Seeds.Count;
            if (difference > 0)
                mine++;
            else if (difference < 0)
                theirs++;
        }
        int both = mine + theirs;
        return new(mine, theirs, both == 0 ? 1 : Math.Min(1, 2 * Binomial.CDF(0.5, both, Math.Min(mine, theirs))));
    }
}
