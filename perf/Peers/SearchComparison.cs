using System.Globalization;
using System.Runtime.InteropServices;
using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Peers;

/// <summary>Exact search: the nearest descriptors of a database for each query, all of norm 1, of random directions.</summary>
internal sealed class SearchComparison : IComparedWork
{
    private readonly SearchSize size;
    private readonly int threads;
    private readonly string database;
    private readonly DescriptorMatrix queries;
    private readonly ExactSearch search;
    private readonly int[][] found;

    /// <param name="scratch">A folder for the files that peers read.</param>
    public SearchComparison(Device device, SearchSize size, string scratch)
    {
        (this.size, threads) = (size, device.Threads);
        (database, Input) = (Path.Combine(scratch, "database"), Path.Combine(scratch, "queries"));
        var descriptors = Descriptors(new Random(1), size.Database, database);
        queries = Descriptors(new Random(2), size.Queries, Input);
        search = new(device, descriptors);
        found = search.Find(queries, size.Depth).Rows;
    }

    public string Title => $"exact search of {size.Queries} queries in {size.Database} × {size.Dimensions}, the first {size.Depth}, fp32";

    public string DifferenceTitle => "answers other than ours, of 1";

    public double Flops => 2.0 * size.Queries * size.Database * size.Dimensions;

    public double? OwnDifference => null;

    public string Input { get; }

    public string Filled(string command)
    {
        foreach (var (name, value) in new[] { ("queries", size.Queries), ("dimensions", size.Dimensions), ("depth", size.Depth), ("threads", threads) })
            command = command.Replace($"{{{name}}}", value.ToString(CultureInfo.InvariantCulture));
        return command.Replace("{database}", database);
    }

    public void Run() => search.Find(queries, size.Depth);

    /// <param name="answer">Rows of the database as 64-bit integers [Queries, Depth].</param>
    public double Difference(ReadOnlySpan<byte> answer)
    {
        var theirs = MemoryMarshal.Cast<byte, long>(answer);
        int[] ours = [.. found.SelectMany(row => row)];
        if (theirs.Length != ours.Length)
            return double.NaN;
        int other = 0;
        for (int i = 0; i < ours.Length; i++)
            other += theirs[i] != ours[i] ? 1 : 0;
        return (double)other / ours.Length;
    }

    private DescriptorMatrix Descriptors(Random random, int rows, string path)
    {
        var matrix = new DescriptorMatrix(rows, size.Dimensions);
        using var file = File.Create(path);
        for (int i = 0; i < rows; i++)
        {
            var row = matrix.Row(i);
            double norm = 0;
            for (int j = 0; j < row.Length; j++)
            {
                row[j] = random.NextSingle() + random.NextSingle() - 1;
                norm += row[j] * row[j];
            }
            for (int j = 0; j < row.Length; j++)
                row[j] = (float)(row[j] / Math.Sqrt(norm));
            file.Write(MemoryMarshal.AsBytes(row));
        }
        return matrix;
    }

    public void Dispose() => search.Dispose();
}
