using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Training;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>Measures a network on a set for image retrieval: mean average precision (1511.07247, section 5.5), also of shorter descriptors.</summary>
public sealed record RetrievalJob
{
    public required NetworkRequest Network { get; init; }
    public required string Set { get; init; }

    /// <summary>Lengths after the weights' PCA to measure too; empty for none.</summary>
    public IReadOnlyList<int> Dimensions { get; init; } = [];

    /// <summary>Asks with the whole image where a set gives a region.</summary>
    public bool WholeQuery { get; init; }

    /// <summary>Images of one pass; no result depends on it.</summary>
    public int Batch { get; init; } = 16;

    public ulong Seed { get; init; } = 1;

    /// <exception cref="UserErrorException">Set, weights and wishes do not fit.</exception>
    public RetrievalResult Run(Device device, IImageDecoder decoder, IProgressSink progress, CancellationToken token = default)
    {
        var whole = RetrievalSetReader.Open(Set);
        if (whole.Missing > 0)
            progress.Line($"{whole.Missing} images that the lists of {whole.Name} name as right are not there, and are not asked for.");
        using var network = Network.Open(device, Seed);
        if (Dimensions.Count > 0 && network.Pca is null)
            throw new UserErrorException("The weights hold no PCA, by whose components descriptors could be shortened: store one with `pca`, fitted on other images.");
        if (Dimensions.FirstOrDefault(d => d > network.DescriptorLength) is > 0 and var longer)
            throw new UserErrorException($"Descriptors of these weights have {network.DescriptorLength} numbers after their PCA and cannot be cut to {longer}.");
        bool found = !network.ClustersInitialised;
        if (found)
            ClusterInitialisation.Initialise(network, whole.Images, decoder, network.Settings.Resize, new() { Seed = Seed }, progress, token);
        var skipped = new List<(string Path, string Reason)>();
        var images = Extractor.Extract(network, whole.Images, decoder, network.Settings.Resize, Batch, progress, token, (path, reason) => skipped.Add((path, reason)));
        var bad = skipped.Select(s => s.Path).ToHashSet();
        var set = skipped.Count == 0 ? whole : whole.Restrict([.. Enumerable.Range(0, whole.Images.Count).Where(i => !bad.Contains(whole.Images[i]))]);
        if (set.Queries.Count == 0)
            throw new UserErrorException($"No query of {set.Name} is left with an answer: {skipped.Count} images cannot be read, the first is {skipped[0].Path}: {skipped[0].Reason}.");
        var queries = Describe(network, set, images, decoder, progress, token);
        var measured = new List<(int, IReadOnlyList<double>)> { (network.DescriptorLength, Precisions(set, images, queries, token)) };
        foreach (int dimension in Dimensions.Where(d => d != network.DescriptorLength))
            measured.Add((dimension, Precisions(set, images.Cut(dimension), queries.Cut(dimension), token)));
        return new(set, network.Settings, found, measured, skipped, whole.Queries.Count - set.Queries.Count);
    }

    /// <summary>The queries' descriptors: of their regions, grown by half of what a local descriptor sees on each side and cut at the image's border, so that those whose centre lies in the region are whole.</summary>
    private DescriptorMatrix Describe(Network network, RetrievalSet set, DescriptorMatrix images, IImageDecoder decoder, IProgressSink progress, CancellationToken token)
    {
        var queries = new DescriptorMatrix(set.Queries.Count, network.DescriptorLength);
        using var describer = new ImageDescriber(network);
        progress.Begin("Describing queries", set.Queries.Count, "queries");
        for (int q = 0; q < set.Queries.Count; q++)
        {
            token.ThrowIfCancellationRequested();
            var query = set.Queries[q];
            if (query.Region is { } region && !WholeQuery)
                describer.DescribeAsIs(Cut(set.Images[query.Image], region, network, decoder), queries.Row(q));
            else
                images.Row(query.Image).CopyTo(queries.Row(q));
            progress.Advance(q + 1);
        }
        return queries;
    }

    /// <summary>The image at the size that all have, so that a stone of a wall is as large in a query as in its answers.</summary>
    internal static PixelImage Cut(string path, PixelRegion region, Network network, IImageDecoder decoder)
    {
        var (storedHeight, storedWidth) = decoder.ReadSize(path);
        var image = decoder.Decode(path, network.Settings.Resize);
        double down = (double)image.Height / storedHeight, along = (double)image.Width / storedWidth, beyond = network.ReceptiveField / 2.0;
        if (region.Left >= storedWidth || region.Top >= storedHeight || region.Right <= 0 || region.Bottom <= 0)
            throw new UserErrorException($"The query's region lies outside of {path}, which has {storedWidth}×{storedHeight} pixels: the images are not those that the lists were made for.");
        int left = Inside(region.Left * along - beyond, image.Width - 1), right = Inside(region.Right * along + beyond, image.Width);
        int top = Inside(region.Top * down - beyond, image.Height - 1), bottom = Inside(region.Bottom * down + beyond, image.Height);
        return image.Crop(top, left, Math.Max(1, bottom - top), Math.Max(1, right - left));

        static int Inside(double pixel, int most) => (int)Math.Clamp(Math.Round(pixel), 0, most);
    }

    /// <summary>AP of each query over all images, by the angle between descriptors; equal ones by lower number.</summary>
    private static double[] Precisions(RetrievalSet set, DescriptorMatrix images, DescriptorMatrix queries, CancellationToken token)
    {
        var precisions = new double[set.Queries.Count];
        Parallel.For(0, precisions.Length, new ParallelOptions { CancellationToken = token }, q =>
        {
            var similarity = new double[images.Rows];
            for (int i = 0; i < similarity.Length; i++)
                similarity[i] = Dot(queries.Row(q), images.Row(i));
            precisions[q] = AveragePrecision.Of(Enumerable.Range(0, images.Rows).OrderByDescending(i => similarity[i]), set.Queries[q].Positives, set.Queries[q].Ignored);
        });
        return precisions;
    }

    private static double Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
            sum += (double)a[i] * b[i];
        return sum;
    }
}
