using MathNet.Numerics.Distributions;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>
/// Where a share that was measured on few queries may truly lie: Wilson's score interval (J. Am. Stat. Assoc. 22, 1927), which
/// stays inside 0 … 1 and is sound at shares near both.
/// </summary>
/// <param name="Low">Lower end, 0 … 1.</param>
/// <param name="High">Upper end, 0 … 1.</param>
public readonly record struct WilsonInterval(double Low, double High)
{
    /// <param name="hits">0 … trials.</param>
    /// <param name="confidence">Such as 0.95.</param>
    /// <returns>0 … 1 where nothing was tried.</returns>
    public static WilsonInterval Of(int hits, int trials, double confidence = 0.95)
    {
        if (trials == 0)
            return new(0, 1);
        double z = Normal.InvCDF(0, 1, (1 + confidence) / 2), n = trials, share = hits / n;
        double centre = (share + z * z / (2 * n)) / (1 + z * z / n);
        double half = z / (1 + z * z / n) * Math.Sqrt(share * (1 - share) / n + z * z / (4 * n * n));
        return new(hits == 0 ? 0 : centre - half, hits == trials ? 1 : centre + half);
    }
}
