using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>
/// Exact nearest neighbours in a database of descriptors that stays on the device: squared L2 distance, ascending, equal distances by lower
/// index, so that a result repeats.
/// </summary>
public sealed class ExactSearch : IDisposable
{
    /// <summary>Numbers of the queries of one launch: bounds the memory (twice 128 MB), not the result.</summary>
    private const int Chunk = 1 << 25;

    private readonly Device device;
    private readonly DeviceBuffer database;
    private readonly int rows, dimension;

    public ExactSearch(Device device, DescriptorMatrix database)
    {
        this.device = device;
        rows = database.Rows;
        dimension = database.Dimension;
        this.database = device.Allocate(database.Values.AsSpan(0, rows * dimension));
    }

    /// <param name="queries">[Q, D]</param>
    /// <param name="depth">Neighbours of each query, 1 … 2048; fewer come back where the database is smaller.</param>
    /// <returns>For each query database rows, nearest first, and their squared distances.</returns>
    public (int[][] Rows, float[][] Distances) Find(DescriptorMatrix queries, int depth)
    {
        if (queries.Dimension != dimension)
            throw new UserErrorException($"Queries of {queries.Dimension} numbers cannot be searched among descriptors of {dimension}: extract both with the same weights.");
        int k = Math.Min(depth, rows);
        var found = new int[queries.Rows][];
        var distances = new float[queries.Rows][];
        if (k == 0 || queries.Rows == 0)
        {
            Array.Fill(found, []);
            Array.Fill(distances, []);
            return (found, distances);
        }
        // Launches of equal size, so that each shares out well among the threads.
        int launches = (int)(((long)queries.Rows * dimension + Chunk - 1) / Chunk), chunk = (queries.Rows + launches - 1) / launches;
        using var query = device.Allocate((long)chunk * dimension);
        using var distance = device.Allocate((long)chunk * k);
        using var index = device.Allocate((long)chunk * k);
        using var workspace = device.Allocate(NearestNeighbours.Operation.Workspace(device, new SearchShape(chunk, rows, dimension, k)));
        var hostDistance = new float[chunk * k];
        var hostIndex = new float[chunk * k];
        for (int first = 0; first < queries.Rows; first += chunk)
        {
            int count = Math.Min(chunk, queries.Rows - first);
            device.Upload(queries.Values.AsSpan(first * dimension, count * dimension), query.View);
            NearestNeighbours.Search(device, new SearchShape(count, rows, dimension, k), query, database, distance, index.View, workspace);
            device.Download(distance.View.SubView(0, (long)count * k), hostDistance);
            device.Download(index.View.SubView(0, (long)count * k), hostIndex);
            for (int i = 0; i < count; i++)
            {
                distances[first + i] = hostDistance[(i * k)..((i + 1) * k)];
                found[first + i] = [.. hostIndex.AsSpan(i * k, k).ToArray().Select(BitConverter.SingleToInt32Bits)];
            }
        }
        return (found, distances);
    }

    public void Dispose() => database.Dispose();
}
