using System.Globalization;
using IlgpuNetVlad.Engine;

namespace IlgpuNetVlad.Perf.Peers;

/// <summary>Of how many descriptors, how long, how many principal components.</summary>
internal readonly record struct PcaSize(int Rows, int Dimensions, int Components)
{
    /// <exception cref="UserErrorException">Not three numbers above 0, or more components than there are.</exception>
    public static PcaSize Parse(string text)
    {
        int[] n = [.. text.Split('x').Select(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : 0)];
        return n.Length == 3 && n.All(number => number > 0) && n[2] < n[0] && n[0] < n[1]
            ? new(n[0], n[1], n[2])
            : throw new UserErrorException($"--pca is such as 10000x32768x4096 (descriptors, fewer than their numbers, and components, fewer than descriptors), not {text}.");
    }
}
