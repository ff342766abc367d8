namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>
/// AP of one query: the area under precision over recall, by trapezoids, Σ over ranks i of Δrecall·(p₍ᵢ₋₁₎ + pᵢ)/2 with p₀ = 1, junk taken out before ranks are counted: as Oxford5k's own program reckons it.
/// </summary>
public static class AveragePrecision
{
    /// <param name="ranking">All images, best first.</param>
    /// <param name="positives">One or more.</param>
    /// <param name="ignored">Neither right nor wrong.</param>
    /// <returns>0 … 1.</returns>
    public static double Of(IEnumerable<int> ranking, IReadOnlySet<int> positives, IReadOnlySet<int> ignored)
    {
        ArgumentOutOfRangeException.ThrowIfZero(positives.Count, nameof(positives));
        double area = 0, before = 1;
        int rank = 0, found = 0;
        foreach (int image in ranking)
        {
            if (ignored.Contains(image))
                continue;
            rank++;
            bool right = positives.Contains(image);
            found += right ? 1 : 0;
            double precision = (double)found / rank;
            if (right)
                area += (before + precision) / 2 / positives.Count;
            before = precision;
        }
        return area;
    }
}
