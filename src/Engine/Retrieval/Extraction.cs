using System.Globalization;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>
/// Describing image files: their headers are read first, so that images of one size go together and the memory is known before the first pass; then they are
/// decoded ahead on other threads, through all sizes without a pause, and go through the network in batches and through its PCA if it has one.
/// While it runs nothing else may use the network or its device; what is handed out arrives on the thread that runs it.
/// </summary>
public sealed class Extraction
{
    /// <summary>On the processor, where a few images fill the cores, a plan of more than one image takes no more.</summary>
    private const long MostPlanBytes = 512L << 20;

    /// <summary>The runtime, its compiled code, libraries and small objects; measured.</summary>
    private const long Runtime = 90L << 20;

    /// <summary>Decoded pixels that may lie about as garbage: left to itself, the collector lets large arrays pile up for long.</summary>
    private const long MostGarbage = 32L << 20;

    private readonly Network network;
    private readonly IReadOnlyList<string> paths;
    private readonly IImageDecoder decoder;
    private readonly ResizePolicy resize;
    private readonly Action<string, string>? onBad;
    private readonly List<Group> groups = [];
    private readonly List<(int Image, ImageException Reason)> failures = [];
    private readonly long largest;

    /// <summary>Images of one size in the network.</summary>
    private sealed record Group(int Height, int Width, List<int> Images, int Batch)
    {
        /// <summary>Bytes of an image's pixels.</summary>
        public int Length => checked(3 * Height * Width);

        /// <summary>Floats that they take in a plan's input.</summary>
        public int Floats => PixelNumbers.Floats(Height, Width);
    }

    /// <summary>Reads the headers.</summary>
    /// <param name="batch">Images of one pass at most, 1 or more; fewer on the processor where images are large. No result depends on it.</param>
    /// <param name="onBad">Told path and reason of each unreadable image, which then gets no row, when <see cref="Run"/> gets there. Null: the first one throws.</param>
    /// <exception cref="OperationCanceledException"/>
    public Extraction(
        Network network, IReadOnlyList<string> paths, IImageDecoder decoder, ResizePolicy resize, int batch = 16, Action<string, string>? onBad = null, CancellationToken token = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        this.network = network;
        this.paths = paths;
        this.decoder = decoder;
        this.resize = resize;
        this.onBad = onBad;
        var stored = new (int Height, int Width)[paths.Count];
        var unreadable = new ImageException?[paths.Count];
        // Headers of files that nobody has touched for long come from a disk that answers many at once.
        Parallel.For(0, paths.Count, new ParallelOptions { CancellationToken = token }, i =>
        {
            try
            {
                stored[i] = decoder.ReadSize(paths[i]);
            }
            catch (ImageException e)
            {
                unreadable[i] = e;
            }
        });
        var sizes = new Dictionary<(int, int), List<int>>();
        for (int i = 0; i < paths.Count; i++)
        {
            if (unreadable[i] is { } reason)
            {
                failures.Add((i, reason));
                continue;
            }
            largest = Math.Max(largest, (long)stored[i].Height * stored[i].Width);
            var size = resize.Apply(stored[i].Height, stored[i].Width);
            if (!sizes.TryGetValue(size, out var list))
                sizes[size] = list = [];
            list.Add(i);
        }
        foreach (var ((height, width), images) in sizes)
        {
            int most = Math.Min(batch, images.Count);
            while (most > 1 && network.Device.IsHostMemory && network.PlanBytes(most, height, width, pixels: true) > MostPlanBytes)
                most--;
            groups.Add(new(height, width, images, most));
        }
    }

    /// <summary>Readable by their headers.</summary>
    public int Images => paths.Count - failures.Count;

    /// <summary>Different sizes in the network.</summary>
    public int Sizes => groups.Count;

    /// <summary>About the peak of resident memory on the processor, whatever the number of images, beside rows that the caller keeps; on a GPU the network's part lies there.</summary>
    public long Bytes
    {
        get
        {
            if (groups.Count == 0)
                return Runtime;
            long plan = network.PlanBytes(groups.Select(g => (g.Batch, g.Height, g.Width))) + (network.Pca is { } pca ? groups.Max(g => Projector.Bytes(network.Device, pca, g.Batch)) : 0);
            // The projection stands on the host too; a decoder holds the file, four bytes a pixel and three of what comes out of it.
            long projection = network.Pca is { } p ? sizeof(float) * (long)p.InputLength * p.OutputLength : 0;
            return Runtime + sizeof(float) * network.Parameters.Sum(x => x.Length) + projection + plan + InputAhead.Bytes(network.Device, MostNumbers) + ResultsBehind<ImageRef[]>.Bytes(network.Device, groups.Max(g => g.Batch) * (long)network.DescriptorLength)
                + Math.Min(Environment.ProcessorCount, groups.Max(g => g.Batch)) * 8 * largest + Math.Min(MostGarbage, groups.Sum(g => (long)g.Images.Count * g.Length));
        }
    }

    private long MostNumbers => groups.Max(g => (long)g.Batch * g.Floats);

    /// <summary>Describes all images, those of a size together.</summary>
    /// <param name="take">Given number of path and descriptor of each, [<see cref="Network.DescriptorLength"/>], which is overwritten afterwards.</param>
    /// <exception cref="ImageException">An unreadable image and nobody to tell.</exception>
    /// <exception cref="OperationCanceledException"/>
    public void Run(Action<int, ReadOnlySpan<float>> take, IProgressSink? progress = null, CancellationToken token = default)
    {
        progress?.Begin("Describing images", paths.Count, "images");
        long done = 0;
        void Bad(int image, ImageException reason)
        {
            if (onBad is null)
                throw reason;
            onBad(paths[image], reason.Reason);
            progress?.Advance(++done);
        }

        foreach (var (image, reason) in failures)
            Bad(image, reason);
        if (groups.Count == 0)
            return;
        int length = network.DescriptorLength;
        using var results = new ResultsBehind<ImageRef[]>(network.Device, groups.Max(g => g.Batch) * (long)length);
        using var ahead = new InputAhead(
            network.Device, (image, to) => decoder.Decode(paths[image.Image], resize).CopyTo(to), groups.Max(g => g.Batch), MostNumbers, Bad);
        var batches = groups.SelectMany(g => g.Images.Chunk(g.Batch).Select(b => (Group: g, Images: b.Select(i => new ImageRef(i)).ToArray()))).ToArray();
        using var prepared = new PreparedParameters(network.Device);
        Group? planned = null;
        NetworkPlan? plan = null;
        Projector? projector = null;
        int at = 0;
        long garbage = 0;
        void Take()
        {
            var taken = results.Take();
            projector?.Finish(taken.Values);
            for (int i = 0; i < taken.Batch.Length; i++)
                take(taken.Batch[i].Image, taken.Values.Slice(i * length, length));
            progress?.Advance(done += taken.Batch.Length);
        }

        try
        {
            foreach (var images in ahead.Read([.. batches.Select(b => (b.Images, b.Group.Floats))], token))
            {
                var group = batches[at++].Group;
                if (group != planned)
                {
                    while (!results.IsEmpty)
                        Take();
                    projector?.Dispose();
                    plan?.Dispose();
                    plan = network.Plan(group.Batch, group.Height, group.Width, prepared);
                    projector = network.Pca is { } pca ? new(network.Device, pca, group.Batch) : null;
                    planned = group;
                }
                if (images.Count == 0)
                    continue;
                ahead.Bring(images, plan!.Input);
                var pooled = plan.Forward(images.Count);
                results.Start(images.Images[..images.Count], projector?.Start(pooled, images.Count) ?? pooled);
                if (results.IsFull)
                    Take();
                garbage += (long)images.Count * group.Length;
                if (garbage > MostGarbage)
                {
                    GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: false);
                    garbage = 0;
                }
            }
            while (!results.IsEmpty)
                Take();
        }
        finally
        {
            projector?.Dispose();
            plan?.Dispose();
        }
    }

    /// <summary>What <see cref="Run"/> takes, in words.</summary>
    public override string ToString()
        => string.Create(CultureInfo.InvariantCulture, $"{Images} images of {Sizes} size{(Sizes == 1 ? "" : "s")}, {(Bytes + (1 << 20) - 1) >> 20} MB of memory");
}
