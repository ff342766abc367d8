using System.Diagnostics;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Layers;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Retrieval;

namespace IlgpuNetVlad.Engine.Training;

/// <summary>
/// Everything of a run that takes memory, allocated once before the first step: plans, decoded images, descriptor cache, buffers of a step. Says beforehand how
/// much that is, and refuses where there is less.
/// </summary>
internal sealed class TrainingBench : IDisposable
{
    private readonly List<NetworkPlan> plans = [];
    private readonly List<ImageStore> stores = [];
    private readonly List<Describer> describers = [];
    private readonly List<FrozenMaps> maps = [];
    private readonly TrainingNeeds needs;
    private readonly double seenEachEpoch, batchesEachEpoch;

    /// <param name="folder">Of the run, for maps on disk.</param>
    public TrainingBench(
        Network network,
        TrainingSet set,
        Dataset validation,
        IImageDecoder decoder,
        ResizePolicy resize,
        TrainingOptions options,
        string folder,
        IProgressSink progress,
        CancellationToken token)
    {
        long available = options.MemoryLimit ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        int most = TrainingStep.MaxImages(options), d = network.PooledLength;
        string[] validationPaths = [.. validation.Database.Concat(validation.Queries).Select(r => r.Path)];
        var size = new ImageStore(set.Images, decoder, resize, 0);
        float[] scales = options.Scales.Count == 0 ? [1] : [.. options.Scales];
        var sizes = scales.Prepend(1f).Distinct().Select(s => (Height: Scaled(size.Height, s), Width: Scaled(size.Width, s))).Distinct().ToArray();
        var validationSize = new ImageStore(validationPaths, decoder, resize, 0);

        var memory = new TrainingMemory(network, options, set.Images.Count, set.DatabaseCount, validation, sizes, validationSize);
        var cache = TrunkCacheChoice.Make(network, options, memory, available, folder);
        if (cache.Line is { } line)
            progress.Line(line);
        bool cached = cache.Mode != TrunkCacheMode.Off;
        long needed = memory.Needed(cache.Mode), networkBytes = memory.Network(cached);
        if (needed > available)
            throw new UserErrorException(
                $"Training needs {Megabytes(needed)} MB and {Megabytes(available)} MB are free: take fewer tuples a batch, fewer negatives a tuple or smaller images, or train from a later layer ({Megabytes(networkBytes)} MB are the network's for {most} images of {size.Width}×{size.Height}, {Megabytes(memory.Descriptors)} MB the descriptors{(cache.Mode == TrunkCacheMode.Memory ? $", {Megabytes(memory.Maps)} MB the trunk cache" : "")}).");

        // Pixels are read once where their maps are kept, and where nothing is learnt.
        long left = cached || options.Epochs == 0 ? 0 : Math.Min(available, UnusedMemory.Bytes / 4 * 3) - needed;
        var part = cached ? PlanPart.Learning : PlanPart.Whole;
        FrozenMaps? Maps(ImageStore store, string name)
        {
            if (!cached)
                return null;
            int rowBytes = FrozenMaps.RowBytes(FrozenMaps.Shape(network, store.Height, store.Width, options.TrainFrom), options.TrunkCacheHalf);
            IMapRows rows = cache.Mode == TrunkCacheMode.Memory ? new MapMemory(store.Count) : new MapFile(Path.Combine(folder, name), store.Count, rowBytes);
            maps.Add(new(network, store, options.TrainFrom, rows, options.TrunkCacheHalf));
            return maps[^1];
        }

        foreach (var (height, width) in sizes)
        {
            var store = new ImageStore(set.Images, decoder, (height, width) == (size.Height, size.Width) ? resize : ResizePolicy.Exact(height, width), left);
            left -= store.IsKept ? store.Bytes : 0;
            stores.Add(store);
            var plan = network.Plan(part, most, height, width, options.TrainFrom, training: true, pixels: true);
            plans.Add(plan);
            describers.Add(new(network, plan, store, Maps(store, "training.maps")));
        }
        Lanes = [.. scales.Select(s => describers[Array.IndexOf(sizes, (Scaled(size.Height, s), Scaled(size.Width, s)))])];
        var validationStore = new ImageStore(validationPaths, decoder, resize, left);
        stores.Add(validationStore);
        bool shared = (validationSize.Height, validationSize.Width) == (size.Height, size.Width);
        if (!shared)
            plans.Add(network.Plan(part, most, validationSize.Height, validationSize.Width, options.TrainFrom, training: false, pixels: true));
        describers.Add(new(network, plans[shared ? 0 : ^1], validationStore, Maps(validationStore, "validation.maps")));
        Validator = new(network, validation, describers[^1], progress);
        if (!cached && options.Epochs > 0)
            progress.Line(PixelsLine());
        Cache = new(set.Images.Count, d);
        Step = new(network, options);
        foreach (var store in stores)
            store.Load(progress, token);
        // Both sets' maps before anything else is written: what makes them is gone again before batches and descriptors take memory.
        foreach (var m in maps)
            m.Prepare(progress, token);
        long images = stores.Where(s => s.IsKept).Sum(s => s.Bytes) + memory.Batches(cached);
        needs = new(networkBytes, memory.Descriptors, images, needed - networkBytes - memory.Descriptors - memory.Batches(cached) - TrainingMemory.Runtime, TrainingMemory.Runtime, 0, 0);
        seenEachEpoch = (set.Anchors.Count + options.RefreshInterval - 1) / options.RefreshInterval * (double)set.Images.Count + validationPaths.Length;
        batchesEachEpoch = (set.Anchors.Count + options.TuplesPerBatch - 1) / options.TuplesPerBatch;
    }

    /// <summary>At the training size.</summary>
    public Describer Describer => describers[0];

    /// <summary>One a scale of the options, in their order; the training size alone where there are none.</summary>
    public Describer[] Lanes { get; }

    /// <summary>The parameters that learn.</summary>
    public IReadOnlyList<Parameter> Trained => plans[0].Trained;

    public Validator Validator { get; }

    /// <summary>Descriptors of all images of the training set, as of the last refresh.</summary>
    public DescriptorMatrix Cache { get; }

    public TrainingStep Step { get; }

    /// <summary>What the run takes; times one batch forward and backward. The network's clusters must be there.</summary>
    public TrainingNeeds Measure(Network network)
    {
        // Forward is about a third of the whole where every layer learns, more where the first do not.
        const double forwardShare = 0.4;
        double seconds = 0;
        for (int i = 0; i < 2 && seconds < 2; i++)
        {
            // The first run compiles; where that hardly matters, once is enough.
            var watch = Stopwatch.StartNew();
            Step.Rehearse(plans[0]);
            seconds = watch.Elapsed.TotalSeconds;
        }
        return needs with
        {
            SecondsPerBatch = seconds,
            SecondsPerEpoch = seconds * batchesEachEpoch + forwardShare * seconds / plans[0].MaxImages * seenEachEpoch,
        };
    }

    /// <summary>Removes what only an interrupted run would find again.</summary>
    public void Forget()
    {
        foreach (var m in maps)
            m.Forget();
    }

    /// <summary>What the user is told of decoded images before the run.</summary>
    private string PixelsLine()
    {
        long kept = stores.Where(s => s.IsKept).Sum(s => s.Bytes), others = stores.Where(s => !s.IsKept).Sum(s => s.Bytes);
        return (kept, others) switch
        {
            (_, 0) => $"Decoded images: {Megabytes(kept)} MB of 8-bit pixels in memory",
            (0, _) => $"Decoded images: not kept, {Megabytes(others)} MB of 8-bit pixels do not fit",
            _ => $"Decoded images: {Megabytes(kept)} MB of 8-bit pixels in memory, {Megabytes(others)} MB more do not fit",
        };
    }

    private static int Scaled(int side, float scale) => Math.Max(1, (int)MathF.Round(side * scale));

    private static long Megabytes(long bytes) => (bytes + (1 << 20) - 1) >> 20;

    public void Dispose()
    {
        Step.Dispose();
        foreach (var describer in describers)
            describer.Dispose();
        foreach (var m in maps)
            m.Dispose();
        foreach (var plan in plans)
            plan.Dispose();
    }
}
