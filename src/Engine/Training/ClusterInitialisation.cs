using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Training;

/// <summary>
/// Gives NetVLAD its clusters (1511.07247, section 3.1 and appendix A): k-means on L2-normalised local descriptors of the training
/// database, and an α so sharp that the nearest centre weighs about 100 times the second.
/// </summary>
public static class ClusterInitialisation
{
    private const int Iterations = 100;

    /// <summary>exp of minus this is the share of the second centre against the first.</summary>
    private static readonly double Sharpness = -Math.Log(0.01);

    /// <summary>Samples local descriptors of images, finds centres, sets the network's clusters. Of images of different sizes after resizing those of the size that most have are taken.</summary>
    /// <param name="images">Files of the database. Those that cannot be read are passed over.</param>
    /// <exception cref="UserErrorException">Too few images, or too much alike.</exception>
    /// <exception cref="ImageException">None can be read.</exception>
    public static void Initialise(
        Network network, IReadOnlyList<string> images, IImageDecoder decoder, ResizePolicy resize, TrainingOptions options, IProgressSink progress, CancellationToken token = default)
    {
        const int batch = 16;
        var alike = OfOneSize(images, decoder, resize);
        if (alike.Length < images.Count)
            progress.Line($"Clusters are sought in the {alike.Length} of {images.Count} images that have one size.");
        var store = new ImageStore(alike, decoder, resize, keepAtMost: 0);
        using var plan = network.Plan(Math.Min(batch, alike.Length), store.Height, store.Width, pixels: true);
        // Whoever describes the images later tells which cannot be decoded.
        using var describer = new Describer(network, plan, store, onBad: (_, _) => { });
        Initialise(network, describer, alike.Length, options, progress, token);
    }

    private static string[] OfOneSize(IReadOnlyList<string> images, IImageDecoder decoder, ResizePolicy resize)
    {
        var sizes = new (int Height, int Width)?[images.Count];
        var unreadable = new ImageException?[images.Count];
        Parallel.For(0, sizes.Length, i =>
        {
            try
            {
                var (height, width) = decoder.ReadSize(images[i]);
                sizes[i] = resize.Apply(height, width);
            }
            catch (ImageException e)
            {
                unreadable[i] = e;
            }
        });
        // Of sizes that as many have the one that comes first: groups are in that order.
        var most = Enumerable.Range(0, images.Count).Where(i => sizes[i] is not null).GroupBy(i => sizes[i]).MaxBy(g => g.Count());
        return most is null ? throw unreadable.First(e => e is not null)! : [.. most.Select(i => images[i])];
    }

    /// <summary>Samples local descriptors of the store's images, finds centres, sets the network's clusters.</summary>
    /// <param name="images">How many of the store's first images are the training database's.</param>
    internal static void Initialise(Network network, Describer describer, int images, TrainingOptions options, IProgressSink progress, CancellationToken token)
    {
        int clusters = network.Settings.Clusters;
        var samples = Sample(network, describer, images, options, progress, token);
        progress.Begin($"Finding {clusters} clusters", Iterations, "rounds");
        var centres = KMeans.Cluster(network.Device, samples, clusters, Iterations, options.Seed, progress, token);
        network.SetClusters(centres, Alpha(samples, centres, clusters, network.Settings.Pooling));
    }

    /// <summary>
    /// α = −ln(0.01) / mean(s₁ − s₂) with the two largest products of a descriptor and the normalised centres (V1), or
    /// α = −ln(0.01) / mean(d²₂ − d²₁) with the two smallest squared distances (V2).
    /// </summary>
    /// <param name="samples">L2-normalised local descriptors.</param>
    /// <param name="centres">[K, D]</param>
    /// <returns>Above 0; 1 for a single cluster, where it has no effect.</returns>
    /// <exception cref="UserErrorException">All descriptors are as near to one centre as to another.</exception>
    public static float Alpha(DescriptorMatrix samples, ReadOnlySpan<float> centres, int clusters, PoolingKind pooling)
    {
        if (clusters == 1)
            return 1;
        int d = samples.Dimension;
        var compared = centres.ToArray();
        if (pooling == PoolingKind.NetVlad)
            for (int k = 0; k < clusters; k++)
                DescriptorMatrix.Normalise(compared.AsSpan(k * d, d));
        var gaps = new double[samples.Rows];
        Parallel.For(0, samples.Rows, i =>
        {
            double first = double.NegativeInfinity, second = double.NegativeInfinity;
            for (int k = 0; k < clusters; k++)
            {
                double s = Closeness(samples.Row(i), compared.AsSpan(k * d, d), pooling);
                if (s > first)
                    (first, second) = (s, first);
                else if (s > second)
                    second = s;
            }
            gaps[i] = first - second;
        });
        double mean = gaps.Sum() / samples.Rows;
        if (!(mean > 0))
            throw new UserErrorException("The local descriptors are as near to one cluster as to the next, so soft assignment has no scale: use fewer clusters or more different images.");
        return (float)(Sharpness / mean);
    }

    /// <summary>x·c for V1, −‖x − c‖² for V2.</summary>
    private static double Closeness(ReadOnlySpan<float> x, ReadOnlySpan<float> c, PoolingKind pooling)
    {
        double sum = 0;
        if (pooling == PoolingKind.NetVlad)
            for (int j = 0; j < x.Length; j++)
                sum += (double)x[j] * c[j];
        else
            for (int j = 0; j < x.Length; j++)
                sum -= ((double)x[j] - c[j]) * ((double)x[j] - c[j]);
        return sum;
    }

    private static DescriptorMatrix Sample(Network network, Describer describer, int images, TrainingOptions options, IProgressSink progress, CancellationToken token)
    {
        var generator = new SeededGenerator(options.Seed, stream: ulong.MaxValue);
        var plan = describer.Plan;
        int positions = plan.FeatureShape.Height * plan.FeatureShape.Width, d = network.LocalDimension;
        int each = Math.Min(options.ClusterDescriptorsPerImage, positions);
        int wanted = Math.Min(images, (options.ClusterDescriptors + each - 1) / each);
        int[] chosen = generator.Permutation(images)[..wanted];
        Array.Sort(chosen);
        var samples = new DescriptorMatrix(Math.Min(options.ClusterDescriptors, wanted * each), d);
        var map = new float[plan.MaxImages * positions * d];
        int taken = 0, done = 0;
        describer.Prepare(progress, token);
        progress.Begin("Sampling local descriptors", wanted, "images");
        foreach (int batch in describer.Feed([.. chosen.Select(i => new ImageRef(i)).Chunk(plan.MaxImages)], token))
        {
            plan.ForwardTrunk(batch);
            plan.ReadFeatures(batch, map);
            for (int i = 0; i < batch; i++)
                foreach (int position in generator.Permutation(positions).Take(each))
                    if (taken < samples.Rows)
                    {
                        var row = samples.Row(taken++);
                        map.AsSpan((i * positions + position) * d, d).CopyTo(row);
                        DescriptorMatrix.Normalise(row);
                    }
            progress.Advance(done += batch);
        }
        return new(taken, d, samples.Values);
    }
}
