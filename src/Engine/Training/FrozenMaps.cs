using System.Buffers;
using System.Runtime.InteropServices;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Layers;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Training;

/// <summary>
/// The frozen-trunk cache: where training begins at a later layer and images are never altered, what the layers before it make of an image never changes. It is
/// computed once an image and kept, in memory or in a file; refreshes, updates and validation then run the learning layers alone. In fp32 all results have the
/// bits that they have without it, since an image's maps do not depend on the images beside it; in fp16 each number is rounded to 11 bits.
/// </summary>
internal sealed class FrozenMaps : IDisposable
{
    /// <summary>Most images of a pass through the frozen layers, and what its plan may take where more than one fits.</summary>
    private const int MostImages = 16;
    private const long PlanBytes = 256L << 20;

    private readonly Network network;
    private readonly ImageStore store;
    private readonly string? trainFrom;
    private readonly IMapRows rows;
    private readonly bool half;
    private bool complete;

    /// <param name="store">Their images.</param>
    /// <param name="trainFrom">First layer that learns; not the network's first.</param>
    /// <param name="half">Kept in fp16.</param>
    public FrozenMaps(Network network, ImageStore store, string? trainFrom, IMapRows rows, bool half)
    {
        this.network = network;
        this.store = store;
        this.trainFrom = trainFrom;
        this.rows = rows;
        this.half = half;
    }

    /// <summary>Of one image's maps, at a size of images.</summary>
    public static MapShape Shape(Network network, int height, int width, string? trainFrom)
        => network.Layers.Take(network.FirstLearning(trainFrom)).Aggregate(new MapShape(height, width, 3), (shape, layer) => layer.Output(shape));

    /// <summary>Bytes that one image takes.</summary>
    public static int RowBytes(MapShape shape, bool half) => checked((int)shape.Length * (half ? 2 : sizeof(float)));

    /// <summary>Bytes that <see cref="Prepare"/> takes while it computes: the plan of the frozen layers, images on their way, a batch of maps.</summary>
    public static long PreparationBytes(Network network, int images, int height, int width, string? trainFrom)
    {
        int batch = BatchSize(network, images, height, width, trainFrom);
        return network.PlanBytes(PlanPart.Frozen, batch, height, width, trainFrom, training: false, pixels: true)
            + InputAhead.Bytes(network.Device, (long)batch * PixelNumbers.Floats(height, width)) + ResultsBehind<int>.Bytes(network.Device, batch * Shape(network, height, width, trainFrom).Length);
    }

    /// <summary>Computes all maps that are not there yet; afterwards images may be read.</summary>
    /// <exception cref="UserErrorException">An image that cannot be read, a full disk, numbers beyond fp16.</exception>
    public void Prepare(IProgressSink progress, CancellationToken token)
    {
        if (complete)
            return;
        var fingerprint = FrozenFingerprint.Of(network, network.FirstLearning(trainFrom), store, half);
        if (!rows.Find(fingerprint))
        {
            rows.Fill(fingerprint, Compute(progress, token));
            // The plan's images make way for the learning layers' batches: only this mode gives their memory back.
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
        complete = true;
    }

    /// <summary>One image's maps; may be called from several threads.</summary>
    /// <param name="to">As many numbers as a map has.</param>
    public void Read(ImageRef image, Span<float> to)
    {
        if (!half)
        {
            rows.Read(image.Image, MemoryMarshal.AsBytes(to));
            return;
        }
        var buffer = ArrayPool<byte>.Shared.Rent(to.Length * 2);
        var bytes = buffer.AsSpan(0, to.Length * 2);
        rows.Read(image.Image, bytes);
        var numbers = MemoryMarshal.Cast<byte, Half>(bytes);
        for (int i = 0; i < to.Length; i++)
            to[i] = (float)numbers[i];
        ArrayPool<byte>.Shared.Return(buffer);
    }

    private static int BatchSize(Network network, int images, int height, int width, string? trainFrom)
    {
        int batch = Math.Min(MostImages, images);
        while (batch > 1 && network.PlanBytes(PlanPart.Frozen, batch, height, width, trainFrom, training: false, pixels: true) > PlanBytes)
            batch--;
        return batch;
    }

    /// <summary>Every image's row, in their order; each is valid until the next.</summary>
    private IEnumerable<ReadOnlyMemory<byte>> Compute(IProgressSink progress, CancellationToken token)
    {
        int batch = BatchSize(network, store.Count, store.Height, store.Width, trainFrom);
        using var plan = network.Plan(PlanPart.Frozen, batch, store.Height, store.Width, trainFrom, training: false, pixels: true);
        using var ahead = store.Ahead(network.Device, batch);
        var shape = Shape(network, store.Height, store.Width, trainFrom);
        int length = (int)shape.Length, done = 0;
        using var results = new ResultsBehind<int>(network.Device, batch * shape.Length);
        var row = new byte[RowBytes(shape, half)];
        progress.Begin("Trunk cache: computing the frozen layers", store.Count, "images");
        IEnumerable<ReadOnlyMemory<byte>> Take()
        {
            var taken = results.Take();
            for (int i = 0; i < taken.Batch; i++)
            {
                Encode(taken.Values.Slice(i * length, length), row);
                yield return row;
            }
            progress.Advance(done += taken.Batch);
        }

        foreach (var images in ahead.Read([.. Enumerable.Range(0, store.Count).Select(i => new ImageRef(i)).Chunk(batch).Select(b => (b, store.Length))], token))
        {
            ahead.Bring(images, plan.Input);
            results.Start(images.Count, plan.Forward(images.Count));
            if (results.IsFull)
                foreach (var taken in Take())
                    yield return taken;
        }
        while (!results.IsEmpty)
            foreach (var taken in Take())
                yield return taken;
    }

    private void Encode(ReadOnlySpan<float> map, Span<byte> row)
    {
        if (!half)
        {
            MemoryMarshal.AsBytes(map).CopyTo(row);
            return;
        }
        var numbers = MemoryMarshal.Cast<byte, Half>(row);
        for (int i = 0; i < map.Length; i++)
            if (!Half.IsFinite(numbers[i] = (Half)map[i]))
                throw new UserErrorException($"The frozen layers make the number {map[i]}, which fp16 does not hold: keep the trunk cache in fp32.");
    }

    /// <summary>The run is over, and nobody else has use for them.</summary>
    public void Forget() => rows.Forget();

    public void Dispose() => rows.Dispose();
}
