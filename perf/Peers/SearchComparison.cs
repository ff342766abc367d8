using System.Globalization;
using System.Runtime.InteropServices;

namespace IlgpuNetVlad.Perf.Peers;

/// <summary>Exact search: the nearest descriptors of a database for each query, all of norm 1, of random directions.</summary>
internal sealed class SearchComparison : IComparedWork
{
    private readonly SearchSize size;
    private readonly string database;
    private long[] found = [];

    /// <param name="scratch">A folder for the files that engines read.</param>
    public SearchComparison(SearchSize size, string scratch)
    {
        this.size = size;
        (database, Input) = (Path.Combine(scratch, "database"), Path.Combine(scratch, "queries"));
        Descriptors(new Random(1), size.Database, database);
        Descriptors(new Random(2), size.Queries, Input);
    }

    public string Title => $"exact search of {size.Queries} queries in {size.Database} × {size.Dimensions}, the first {size.Depth}, fp32";

    public string DifferenceTitle => "answers other than ours, of 1";

    public double Flops => 2.0 * size.Queries * size.Database * size.Dimensions;

    public string Input { get; }

    public IReadOnlyList<string> Own => ["search", database, Text(size.Dimensions), Text(size.Depth)];

    public string Filled(string command) => command
        .Replace("{database}", database)
        .Replace("{queries}", Text(size.Queries))
        .Replace("{dimensions}", Text(size.Dimensions))
        .Replace("{depth}", Text(size.Depth));

    public double? Take(ReadOnlySpan<byte> ours)
    {
        found = MemoryMarshal.Cast<byte, long>(ours).ToArray();
        return null;
    }

    /// <param name="answer">Rows of the database as 64-bit integers [Queries, Depth].</param>
    public double Difference(ReadOnlySpan<byte> answer)
    {
        var theirs = MemoryMarshal.Cast<byte, long>(answer);
        if (theirs.Length != found.Length)
            return double.NaN;
        int other = 0;
        for (int i = 0; i < found.Length; i++)
            other += theirs[i] != found[i] ? 1 : 0;
        return (double)other / found.Length;
    }

    private void Descriptors(Random random, int rows, string path)
    {
        var row = new float[size.Dimensions];
        using var file = File.Create(path);
        for (int i = 0; i < rows; i++)
        {
            double norm = 0;
            for (int j = 0; j < row.Length; j++)
            {
                row[j] = random.NextSingle() + random.NextSingle() - 1;
                norm += row[j] * row[j];
            }
            for (int j = 0; j < row.Length; j++)
                row[j] = (float)(row[j] / Math.Sqrt(norm));
            file.Write(MemoryMarshal.AsBytes<float>(row));
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
