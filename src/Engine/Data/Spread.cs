namespace IlgpuNetVlad.Engine.Data;

/// <summary>Smallest, middle and largest of some counts; all 0 of none.</summary>
public readonly record struct Spread(int Min, double Median, int Max)
{
    /// <summary>The median of an even number is the mean of the two in the middle.</summary>
    public static Spread Of(IEnumerable<int> counts)
    {
        int[] sorted = [.. counts.Order()];
        return sorted.Length == 0
            ? default
            : new Spread(sorted[0], (sorted[(sorted.Length - 1) / 2] + (double)sorted[sorted.Length / 2]) / 2, sorted[^1]);
    }
}
