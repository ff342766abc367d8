using System.Runtime.InteropServices;
using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Peers.Served;

/// <summary>The nearest descriptors of a database for each query.</summary>
internal sealed class ServedSearch : IServedWork
{
    private readonly int dimensions, depth;
    private readonly ExactSearch search;
    private DescriptorMatrix queries;
    private int[][] found = [];

    /// <param name="database">A file of raw fp32.</param>
    public ServedSearch(Device device, string database, int dimensions, int depth)
    {
        (this.dimensions, this.depth) = (dimensions, depth);
        search = new(device, Read(database));
        queries = new(0, dimensions);
    }

    public void Take(string path) => queries = Read(path);

    public void Run() => found = search.Find(queries, depth).Rows;

    /// <summary>Rows of the database as 64-bit integers [queries, depth].</summary>
    public byte[] Answer() => MemoryMarshal.AsBytes<long>(found.SelectMany(row => row).Select(row => (long)row).ToArray()).ToArray();

    private DescriptorMatrix Read(string path)
    {
        using var file = File.OpenRead(path);
        var values = new float[file.Length / sizeof(float)];
        file.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan()));
        return new(values.Length / dimensions, dimensions, values);
    }

    public void Dispose() => search.Dispose();
}
