using ILGPU;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>
/// Brings the results of batches to the host. Those of one batch are waited for when the next is already enqueued, so that a device that works beside the host never has nothing to do; on another
/// they are there at once.
/// </summary>
/// <typeparam name="TBatch">What tells whose results they are.</typeparam>
internal sealed class ResultsBehind<TBatch> : IDisposable
{
    private readonly Device device;
    private readonly Results[] places;
    private readonly Queue<Results> onTheirWay;
    private int next;

    /// <param name="length">Numbers of the largest batch.</param>
    public ResultsBehind(Device device, long length)
    {
        this.device = device;
        places = [.. Enumerable.Range(0, Depth(device)).Select(_ => new Results(device.AllocateHost(length), device.CreateMark()))];
        onTheirWay = new(places.Length);
    }

    /// <summary>Bytes of host memory that it takes.</summary>
    public static long Bytes(Device device, long length) => Depth(device) * length * sizeof(float);

    /// <summary>Whether some must be taken before the next can start.</summary>
    public bool IsFull => onTheirWay.Count == places.Length;

    public bool IsEmpty => onTheirWay.Count == 0;

    /// <summary>Starts the copy of a batch's results, behind what computes them.</summary>
    public void Start(TBatch batch, ArrayView<float> results)
    {
        if (IsFull)
            throw new InvalidOperationException("All places are taken: take results first.");
        var place = places[next];
        next = (next + 1) % places.Length;
        place.Start(device.Kernels, batch, results);
        onTheirWay.Enqueue(place);
    }

    /// <summary>The oldest results that are on their way, waited for; they are there until the next <see cref="Start"/>.</summary>
    public Results Take()
    {
        var place = onTheirWay.Dequeue();
        place.Wait();
        return place;
    }

    public void Dispose()
    {
        foreach (var place in places)
            place.Dispose();
    }

    private static int Depth(Device device) => device.WorksBesideHost ? 2 : 1;

    /// <summary>Of one batch.</summary>
    internal sealed class Results(HostBuffer memory, StreamMark there) : IDisposable
    {
        private int count;

        public TBatch Batch { get; private set; } = default!;

        public Span<float> Values => memory.Span[..count];

        internal void Start(WorkStream stream, TBatch batch, ArrayView<float> results)
        {
            (Batch, count) = (batch, (int)results.Length);
            stream.Download(results, memory);
            stream.Set(there);
        }

        internal void Wait() => there.Wait();

        public void Dispose()
        {
            // A copy may still be writing.
            there.Wait();
            memory.Dispose();
            there.Dispose();
        }
    }
}
