using IlgpuNetVlad.Engine.Data;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>Tokyo 24/7 photographs every place thrice, by day, at sunset and at night, one after the other in its list of queries.</summary>
public static class TimesOfDay
{
    /// <summary>
    /// Metres that the three may be apart. In the published list they agree to the last digit; a metre is what rounding in names and tables may cost, and less than lies
    /// between two places of any walk or drive at a photograph a second.
    /// </summary>
    private const double Apart = 1;

    /// <summary>Each three queries that follow one another must show one place. Where the right answers are listed, they must have the same.</summary>
    /// <exception cref="UserErrorException">They do not.</exception>
    public static void Check(Dataset set)
    {
        if (set.Queries.Count % 3 != 0)
            throw Refused(set, $"its {set.Queries.Count} queries are no threes");
        for (int q = 0; q < set.Queries.Count; q++)
            if (!IsOfPlace(set, q / 3 * 3, q))
                throw Refused(set, $"query {q / 3 * 3 + 1}, {set.Queries[q / 3 * 3].Path}, and query {q + 1}, {set.Queries[q].Path}, are not of one place");
    }

    private static bool IsOfPlace(Dataset set, int first, int q)
        => set.HasExplicitTruth ? set.GroundTruth(first).SequenceEqual(set.GroundTruth(q)) : set.Queries[first].DistanceSquared(set.Queries[q]) <= Apart * Apart;

    private static UserErrorException Refused(Dataset set, string why)
        => new($"{set.Name} does not show every place by day, at sunset and at night, in this order: {why}; leave --times-of-day out.");
}
