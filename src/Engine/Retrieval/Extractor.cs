using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>Descriptors of image files: decoded ahead on other threads, through the network in batches of images of one size, then through its PCA if it has one.</summary>
public static class Extractor
{
    /// <param name="paths">Image files.</param>
    /// <param name="batch">Images of one pass through the network, 1 or more; no result depends on it.</param>
    /// <param name="onBad">
    /// Told path and reason of each unreadable image, which then gets no row; <see cref="DescriptorMatrix.Names"/> says which rows there are. Null: the first one throws.
    /// </param>
    /// <returns>One row a readable image in the order of <paramref name="paths"/>, named by its path: [images, <see cref="Network.DescriptorLength"/>].</returns>
    /// <exception cref="ImageException">An unreadable image and no <paramref name="onBad"/>.</exception>
    /// <exception cref="OperationCanceledException"/>
    public static DescriptorMatrix Extract(
        Network network,
        IReadOnlyList<string> paths,
        IImageDecoder decoder,
        ResizePolicy resize,
        int batch = 16,
        IProgressSink? progress = null,
        CancellationToken token = default,
        Action<string, string>? onBad = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        var rows = new DescriptorMatrix(paths.Count, network.DescriptorLength);
        var got = new bool[paths.Count];
        progress?.Begin("Describing images", paths.Count, "images");
        long done = 0;
        void Bad(int image, ImageException reason)
        {
            if (onBad is null)
                throw reason;
            onBad(paths[image], reason.Reason);
            progress?.Advance(++done);
        }

        foreach (var group in BySize(paths, decoder, resize, Bad, token))
        {
            int size = Math.Min(batch, group.Images.Length);
            using var plan = network.Plan(size, group.Height, group.Width);
            using var projector = network.Pca is { } pca ? new Projector(network.Device, pca, size) : null;
            var ahead = new InputAhead(
                (image, to) => network.Settings.Preprocessing.Apply(decoder.Decode(paths[image.Image], resize), to), size, plan.InputShape.Length, Bad);
            foreach (var images in ahead.Read([.. group.Images.Select(i => new ImageRef(i)).Chunk(size)], token))
            {
                Describe(network, plan, projector, images, rows);
                for (int i = 0; i < images.Count; i++)
                    got[images.Images[i].Image] = true;
                progress?.Advance(done += images.Count);
            }
        }
        int[] kept = [.. Enumerable.Range(0, paths.Count).Where(i => got[i])];
        return kept.Length == paths.Count ? new(rows.Rows, rows.Dimension, rows.Values, [.. paths]) : new DescriptorMatrix(rows.Rows, rows.Dimension, rows.Values, [.. paths]).Select(kept);
    }

    private static void Describe(Network network, NetworkPlan plan, Projector? projector, InputAhead.Batch images, DescriptorMatrix rows)
    {
        if (images.Count == 0)
            return;
        network.Device.Upload(images.Filled, plan.Input);
        var pooled = plan.Forward(images.Count);
        var result = new float[images.Count * rows.Dimension];
        if (projector is null)
            network.Device.Download(pooled.SubView(0, result.Length), result);
        else
            projector.Apply(pooled, images.Count, result);
        for (int i = 0; i < images.Count; i++)
            result.AsSpan(i * rows.Dimension, rows.Dimension).CopyTo(rows.Row(images.Images[i].Image));
    }

    /// <summary>Images of one size together, so that the network is planned once for each size.</summary>
    private static IEnumerable<(int Height, int Width, int[] Images)> BySize(
        IReadOnlyList<string> paths, IImageDecoder decoder, ResizePolicy resize, Action<int, ImageException> onBad, CancellationToken token)
    {
        var found = new (int, int)[paths.Count];
        var failures = new ImageException?[paths.Count];
        // Headers of files that nobody has touched for long come from a disk that answers many at once.
        Parallel.For(0, paths.Count, new ParallelOptions { CancellationToken = token }, i =>
        {
            try
            {
                var (h, w) = decoder.ReadSize(paths[i]);
                found[i] = resize.Apply(h, w);
            }
            catch (ImageException e)
            {
                failures[i] = e;
            }
        });
        var sizes = new Dictionary<(int, int), List<int>>();
        for (int i = 0; i < paths.Count; i++)
        {
            if (failures[i] is { } reason)
            {
                onBad(i, reason);
                continue;
            }
            if (!sizes.TryGetValue(found[i], out var list))
                sizes[found[i]] = list = [];
            list.Add(i);
        }
        return sizes.Select(s => (s.Key.Item1, s.Key.Item2, s.Value.ToArray()));
    }
}
