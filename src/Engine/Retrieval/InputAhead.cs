using System.Collections.Concurrent;
using ILGPU;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>
/// Makes batches of a network's input on threads of its own, a few batches ahead of the reader, in the batches' order and in buffers that are used
/// over and over; and brings them to the device, which a GPU copies while it computes the one before (<see cref="UploadLane"/>).
/// </summary>
internal sealed class InputAhead : IDisposable
{
    private const int Ahead = 2;

    private readonly Fill fill;
    private readonly Action<int, ImageException>? onBad;
    private readonly Batch[] buffers;
    private readonly UploadLane lane;

    /// <summary>Writes one image's input; called from several threads.</summary>
    /// <param name="to">The image's numbers, all of them to be written, or its pixels, four in each (<see cref="PixelImage.CopyTo"/>).</param>
    public delegate void Fill(ImageRef image, Span<float> to);

    /// <param name="maxImages">Images of a batch at most.</param>
    /// <param name="numbers">Numbers of the largest batch.</param>
    /// <param name="onBad">Told of an unreadable image, which is then left out of its batch, in the batches' order; null lets it throw.</param>
    public InputAhead(Device device, Fill fill, int maxImages, long numbers, Action<int, ImageException>? onBad = null)
    {
        this.fill = fill;
        this.onBad = onBad;
        buffers = [.. Enumerable.Range(0, Ahead + 1).Select(_ => new Batch(device, maxImages, numbers))];
        lane = new(device, numbers);
    }

    /// <summary>Bytes of input that it holds for batches of this size, on the host and on the device.</summary>
    public static long Bytes(Device device, long numbers) => (Ahead + 1) * numbers * sizeof(float) + UploadLane.Bytes(device, numbers);

    /// <summary>One filled batch.</summary>
    internal sealed class Batch(Device device, int maxImages, long numbers)
    {
        public HostBuffer Values { get; } = device.AllocateHost(numbers);
        public ImageRef[] Images { get; } = new ImageRef[maxImages];
        public int Count { get; set; }

        /// <summary>Numbers of each image.</summary>
        public int Length { get; set; }

        /// <summary>Unreadable images of this batch, reported when the reader gets there.</summary>
        public List<(int Image, ImageException Reason)> Bad { get; } = [];
    }

    /// <summary>The batches in their order, each to be brought to the device. A batch is the reader's until it asks for the next. One reading at a time.</summary>
    /// <param name="batches">Images of each, and the numbers of one of them.</param>
    public IEnumerable<Batch> Read(IReadOnlyList<(ImageRef[] Images, int Length)> batches, CancellationToken token)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(token);
        using var free = new BlockingCollection<Batch>(new ConcurrentQueue<Batch>(buffers));
        using var ready = new BlockingCollection<Batch>();
        var producer = Task.Factory.StartNew(() =>
        {
            try
            {
                foreach (var (images, length) in batches)
                {
                    var batch = free.Take(stop.Token);
                    batch.Length = length;
                    FillBatch(batch, images, stop.Token);
                    ready.Add(batch);
                }
            }
            finally
            {
                ready.CompleteAdding();
            }
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            foreach (var batch in ready.GetConsumingEnumerable())
            {
                token.ThrowIfCancellationRequested();
                foreach (var (image, reason) in batch.Bad)
                    onBad!(image, reason);
                yield return batch;
                lane.WaitUntilSent();
                free.Add(batch);
            }
            token.ThrowIfCancellationRequested();
            producer.GetAwaiter().GetResult();
        }
        finally
        {
            // The reader may leave early: the producer must be gone before its queues are.
            stop.Cancel();
            ((IAsyncResult)producer).AsyncWaitHandle.WaitOne();
        }
    }

    /// <summary>Puts what the reader got to the beginning of a view, such as a plan's input, for every kernel that is launched from then on.</summary>
    public void Bring(Batch batch, ArrayView<float> to)
    {
        lane.Send(batch.Values, batch.Count * batch.Length);
        lane.Take(to);
    }

    public void Dispose()
    {
        lane.Dispose();
        foreach (var batch in buffers)
            batch.Values.Dispose();
    }

    private void FillBatch(Batch batch, ImageRef[] images, CancellationToken token)
    {
        var failures = new ImageException?[images.Length];
        int length = batch.Length;
        try
        {
            Parallel.For(0, images.Length, new ParallelOptions { CancellationToken = token }, i =>
            {
                try
                {
                    fill(images[i], batch.Values.Span.Slice(i * length, length));
                }
                catch (ImageException e) when (onBad is not null)
                {
                    failures[i] = e;
                }
            });
        }
        catch (AggregateException e)
        {
            // The first plain sentence is worth more to the user than the bundle.
            throw e.InnerExceptions.OfType<UserErrorException>().FirstOrDefault() ?? e.InnerExceptions[0];
        }
        batch.Bad.Clear();
        batch.Count = 0;
        for (int i = 0; i < images.Length; i++)
        {
            if (failures[i] is { } reason)
            {
                batch.Bad.Add((images[i].Image, reason));
                continue;
            }
            if (batch.Count != i)
                batch.Values.Span.Slice(i * length, length).CopyTo(batch.Values.Span[(batch.Count * length)..]);
            batch.Images[batch.Count++] = images[i];
        }
    }
}
