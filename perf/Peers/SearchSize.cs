using System.Globalization;
using IlgpuNetVlad.Engine;

namespace IlgpuNetVlad.Perf.Peers;

/// <summary>How much is searched for, and in what.</summary>
internal readonly record struct SearchSize(int Queries, int Database, int Dimensions, int Depth)
{
    /// <exception cref="UserErrorException">Not four numbers above 0, or more answers than descriptors.</exception>
    public static SearchSize Parse(string text)
    {
        int[] n = [.. text.Split('x').Select(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : 0)];
        return n.Length == 4 && n.All(number => number > 0) && n[3] <= n[1]
            ? new(n[0], n[1], n[2], n[3])
            : throw new UserErrorException($"--search is such as 6816x10000x4096x25 (queries, database, dimensions, answers, which are no more than the database), not {text}.");
    }
}
