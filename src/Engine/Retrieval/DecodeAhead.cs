using System.Collections.Concurrent;
using IlgpuNetVlad.Engine.Data;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>
/// Turns batches of images into the network's input on threads of its own, a few batches ahead of the reader, in the batches' order
/// and in buffers that are used over and over.
/// </summary>
internal sealed class DecodeAhead
{
    private const int Ahead = 2;

    private readonly Func<int, PixelImage> pixels;
    private readonly Preprocessing preprocessing;
    private readonly int height, width;
    private readonly Action<int, ImageException>? onBad;
    private readonly Batch[] buffers;

    /// <param name="pixels">An image by its number, of height × width; called from several threads.</param>
    /// <param name="maxImages">Images of the largest batch.</param>
    /// <param name="onBad">Told of an unreadable image, which is then left out of its batch, in the batches' order; null lets it throw.</param>
    public DecodeAhead(Func<int, PixelImage> pixels, Preprocessing preprocessing, int maxImages, int height, int width, Action<int, ImageException>? onBad = null)
    {
        this.pixels = pixels;
        this.preprocessing = preprocessing;
        this.height = height;
        this.width = width;
        this.onBad = onBad;
        buffers = [.. Enumerable.Range(0, Ahead + 1).Select(_ => new Batch(maxImages, height * width * 3))];
    }

    /// <summary>Bytes of input that it holds for batches of this size.</summary>
    public static long Bytes(int maxImages, int height, int width) => (long)(Ahead + 1) * maxImages * height * width * 3 * sizeof(float);

    /// <summary>One filled batch.</summary>
    internal sealed class Batch(int maxImages, int imageLength)
    {
        public float[] Values { get; } = new float[(long)maxImages * imageLength];
        public ImageRef[] Images { get; } = new ImageRef[maxImages];
        public int Count { get; set; }
        public ReadOnlySpan<float> Filled => Values.AsSpan(0, Count * imageLength);

        /// <summary>Unreadable images of this batch, reported when the reader gets there.</summary>
        public List<(int Image, ImageException Reason)> Bad { get; } = [];
    }

    /// <summary>The batches in their order. A batch is the reader's until it asks for the next. One reading at a time.</summary>
    public IEnumerable<Batch> Read(IReadOnlyList<ImageRef[]> batches, CancellationToken token)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(token);
        using var free = new BlockingCollection<Batch>(new ConcurrentQueue<Batch>(buffers));
        using var ready = new BlockingCollection<Batch>();
        var producer = Task.Factory.StartNew(() =>
        {
            try
            {
                foreach (var images in batches)
                {
                    var batch = free.Take(stop.Token);
                    Fill(batch, images, stop.Token);
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

    private void Fill(Batch batch, ImageRef[] images, CancellationToken token)
    {
        int length = height * width * 3;
        var failures = new ImageException?[images.Length];
        try
        {
            Parallel.For(0, images.Length, new ParallelOptions { CancellationToken = token }, i =>
            {
                try
                {
                    preprocessing.Apply(pixels(images[i].Image), batch.Values.AsSpan(i * length, length), images[i].Flip);
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
                batch.Values.AsSpan(i * length, length).CopyTo(batch.Values.AsSpan(batch.Count * length));
            batch.Images[batch.Count++] = images[i];
        }
    }
}
