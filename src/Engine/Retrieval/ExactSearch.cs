using System.Runtime.InteropServices;
using ILGPU;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>
/// Exact nearest neighbours in a database of descriptors that stays on the device: squared L2 distance, ascending, equal distances by lower
/// index, so that a result repeats, and is the same for a query alone and among others. On the processor the database is kept as the kernel reads it and in no other form: one query costs one
/// read of it. Scratch memory is kept from call to call (on the processor that of 240 queries and of the answers).
/// </summary>
public sealed class ExactSearch : IDisposable
{
    /// <summary>Numbers of the queries of one launch: bounds a GPU's memory (twice 128 MB), not the result.</summary>
    private const int Chunk = 1 << 25;

    private readonly Device device;

    /// <summary>The descriptors as they are, or what the kernel prepared of them.</summary>
    private readonly DeviceBuffer database;

    private readonly bool prepared;
    private readonly int rows, dimension;
    private readonly Lock gate = new();
    private bool disposed;
    private DeviceBuffer? query, distance, index, workspace;

    /// <param name="database">Copied.</param>
    public ExactSearch(Device device, DescriptorMatrix database)
    {
        this.device = device;
        rows = database.Rows;
        dimension = database.Dimension;
        var values = database.Values.AsSpan(0, rows * dimension);
        var shape = new SearchShape(0, rows, dimension, 1);
        long length = NearestNeighbours.Operation.Prepared(device, shape);
        prepared = length > 0;
        this.database = prepared ? device.Allocate(length) : device.Allocate(values);
        if (prepared)
            WithView(values, view => NearestNeighbours.Operation.Prepare(device, shape, [default, view, default, default], this.database));
    }

    /// <summary>One thread at a time; others wait.</summary>
    /// <param name="queries">[Q, D]</param>
    /// <param name="depth">Neighbours of each query, 1 … 2048; fewer come back where the database is smaller.</param>
    /// <returns>For each query database rows, nearest first, and their squared distances.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The depth is none of these.</exception>
    /// <exception cref="ObjectDisposedException"/>
    /// <exception cref="UserErrorException">The queries are of another length than the database.</exception>
    public (int[][] Rows, float[][] Distances) Find(DescriptorMatrix queries, int depth)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(depth, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(depth, NearestNeighbours.MaxK);
        ObjectDisposedException.ThrowIf(disposed, this);
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
        lock (gate)
        {
            // Again: whoever disposes waits for the one that searches, and those that wait behind find the memory gone.
            ObjectDisposedException.ThrowIf(disposed, this);
            for (int first = 0; first < queries.Rows; first += chunk)
            {
                int count = Math.Min(chunk, queries.Rows - first), start = first;
                WithView(queries.Values.AsSpan(first * dimension, count * dimension), view => Find(view, count, k, found.AsSpan(start), distances.AsSpan(start)));
            }
        }
        return (found, distances);
    }

    private void Find(ArrayView<float> queries, int count, int k, Span<int[]> found, Span<float[]> distances)
    {
        var operation = NearestNeighbours.Operation;
        var shape = new SearchShape(count, rows, dimension, k);
        ArrayView<float> distance = Room(ref this.distance, (long)count * k), index = Room(ref this.index, (long)count * k);
        var workspace = Room(ref this.workspace, prepared ? operation.PreparedWorkspace(device, shape) : operation.Workspace(device, shape));
        if (prepared)
            operation.RunPrepared(device, shape, [queries, default, distance, index], database, workspace);
        else
            NearestNeighbours.Search(device, shape, queries, database, distance, index, workspace);
        float[] allDistances = device.Download(distance), allRows = device.Download(index);
        for (int i = 0; i < count; i++)
        {
            distances[i] = allDistances[(i * k)..((i + 1) * k)];
            found[i] = MemoryMarshal.Cast<float, int>(allRows.AsSpan(i * k, k)).ToArray();
        }
    }

    /// <summary>Descriptors as the device reads them: where they are, or copied.</summary>
    private unsafe void WithView(ReadOnlySpan<float> values, Action<ArrayView<float>> use)
    {
        if (device.IsHostMemory)
        {
            fixed (float* pinned = values)
                use(HostMemory.View(device, pinned, values.Length));
            return;
        }
        var view = Room(ref query, values.Length);
        device.Upload(values, view);
        use(view);
    }

    /// <summary>Memory that is kept from call to call, and grows.</summary>
    private ArrayView<float> Room(ref DeviceBuffer? buffer, long length)
    {
        if (buffer is null || buffer.Length < length)
        {
            buffer?.Dispose();
            buffer = null;
            buffer = device.Allocate(length);
        }
        return buffer.View.SubView(0, length);
    }

    /// <summary>Waits for a search at work.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            if (disposed)
                return;
            disposed = true;
            database.Dispose();
            query?.Dispose();
            distance?.Dispose();
            index?.Dispose();
            workspace?.Dispose();
        }
    }
}
