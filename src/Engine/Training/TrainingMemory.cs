using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Layers;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Training;

/// <summary>How many bytes a run takes, with the frozen-trunk cache and without, reckoned before anything is allocated.</summary>
internal sealed class TrainingMemory
{
    /// <summary>The runtime, its compiled code, libraries and small objects; measured.</summary>
    public const long Runtime = 110L << 20;

    private readonly Network network;
    private readonly TrainingOptions options;
    private readonly int images;
    private readonly ImageStore validation;
    private readonly (int Height, int Width)[] sizes;

    /// <param name="images">Of the training set.</param>
    /// <param name="sampled">How many of them clusters are sought in.</param>
    /// <param name="sizes">That batches are shown at; the training size is the first.</param>
    public TrainingMemory(Network network, TrainingOptions options, int images, int sampled, Dataset validationSet, (int Height, int Width)[] sizes, ImageStore validation)
    {
        this.network = network;
        this.options = options;
        this.images = images;
        this.sizes = sizes;
        this.validation = validation;
        int d = network.PooledLength;
        // The validation set's descriptors stand on the host and, while they are searched, on the device.
        Descriptors = sizeof(float) * (long)d * (images + 2L * validationSet.Database.Count + validationSet.Queries.Count);
        if (!network.ClustersInitialised)
        {
            // The sample that clusters are sought in and its products with the centres, on both sides; gone before the descriptors are written.
            long samples = Math.Min(options.ClusterDescriptors, (long)sampled * options.ClusterDescriptorsPerImage);
            Descriptors = Math.Max(Descriptors, 2 * sizeof(float) * samples * (network.LocalDimension + network.Settings.Clusters));
        }
    }

    /// <summary>Images of the largest batch.</summary>
    private int Most => TrainingStep.MaxImages(options);

    private bool SharesPlan => (validation.Height, validation.Width) == sizes[0];

    /// <summary>Of the descriptor cache and the validation set's, or of the sample that clusters are sought in if that is larger.</summary>
    public long Descriptors { get; }

    /// <summary>Parameters, gradients, velocities, plans.</summary>
    public long Network(bool cached)
    {
        var part = cached ? PlanPart.Learning : PlanPart.Whole;
        return sizes.Sum(s => network.PlanBytes(part, Most, s.Height, s.Width, options.TrainFrom, training: true, pixels: true))
            + (SharesPlan ? 0 : network.PlanBytes(part, Most, validation.Height, validation.Width, options.TrainFrom, training: false, pixels: true))
            + network.Parameters.Sum(p => sizeof(float) * p.Length) + (long)Most * network.PooledLength * sizeof(float);
    }

    /// <summary>Batches on their way into the network, and descriptors on their way out.</summary>
    public long Batches(bool cached)
    {
        long Of(int height, int width) => InputAhead.Bytes(network.Device, Most * (cached ? Map(height, width).Length : PixelNumbers.Floats(height, width)));
        return sizes.Sum(s => Of(s.Height, s.Width)) + Of(validation.Height, validation.Width) + ResultsBehind<int>.Bytes(network.Device, (long)Most * network.PooledLength);
    }

    /// <summary>What the frozen-trunk cache holds.</summary>
    public long Maps
        => images * (long)FrozenMaps.RowBytes(Map(sizes[0].Height, sizes[0].Width), options.TrunkCacheHalf)
            + validation.Count * (long)FrozenMaps.RowBytes(Map(validation.Height, validation.Width), options.TrunkCacheHalf);

    /// <summary>All that must be there at once but decoded images, which may be read again and again.</summary>
    public long Needed(TrunkCacheMode mode)
    {
        bool cached = mode is TrunkCacheMode.Memory or TrunkCacheMode.Disk;
        // The maps are computed before there are descriptors and batches of them.
        long later = Descriptors + Batches(cached);
        return Runtime + Network(cached) + (mode == TrunkCacheMode.Memory ? Maps : 0) + (cached ? Math.Max(later, Preparation) : later);
    }

    private long Preparation => Math.Max(
        FrozenMaps.PreparationBytes(network, images, sizes[0].Height, sizes[0].Width, options.TrainFrom),
        FrozenMaps.PreparationBytes(network, validation.Count, validation.Height, validation.Width, options.TrainFrom));

    private MapShape Map(int height, int width) => FrozenMaps.Shape(network, height, width, options.TrainFrom);
}
