using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>Descriptors of image files, in memory or in a file (<see cref="Extraction"/>).</summary>
public static class Extractor
{
    /// <param name="paths">Image files.</param>
    /// <param name="batch">Images of one pass through the network at most, 1 or more; no result depends on it.</param>
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
        var rows = new DescriptorMatrix(paths.Count, network.DescriptorLength);
        var got = new bool[paths.Count];
        new Extraction(network, paths, decoder, resize, batch, onBad, token).Run(
            (image, row) =>
            {
                row.CopyTo(rows.Row(image));
                got[image] = true;
            },
            progress, token);
        int[] kept = [.. Enumerable.Range(0, paths.Count).Where(i => got[i])];
        return kept.Length == paths.Count ? new(rows.Rows, rows.Dimension, rows.Values, [.. paths]) : new DescriptorMatrix(rows.Rows, rows.Dimension, rows.Values, [.. paths]).Select(kept);
    }

    /// <summary>The same rows as a file, which takes them as they come: memory does not grow with the number of images.</summary>
    /// <param name="file">As <see cref="Npy.Write(string, DescriptorMatrix)"/> writes it, names beside it.</param>
    /// <returns>Rows of the file.</returns>
    /// <exception cref="UserErrorException">No image can be read, or the file cannot be written; then there is none.</exception>
    /// <inheritdoc cref="Extract"/>
    public static int ExtractTo(
        string file,
        Network network,
        IReadOnlyList<string> paths,
        IImageDecoder decoder,
        ResizePolicy resize,
        int batch = 16,
        IProgressSink? progress = null,
        CancellationToken token = default,
        Action<string, string>? onBad = null)
    {
        int bad = 0;
        string first = "";
        var extraction = new Extraction(network, paths, decoder, resize, batch, onBad is null ? null : Note, token);
        progress?.Line(extraction.ToString());
        return Npy.Write(file, paths, network.DescriptorLength, take =>
        {
            extraction.Run(take, progress, token);
            if (bad == paths.Count)
                throw new UserErrorException($"None of {paths.Count} images can be read{first}.");
        });

        void Note(string path, string reason)
        {
            if (bad++ == 0)
                first = $"; the first is {path}: {reason}";
            onBad(path, reason);
        }
    }
}
