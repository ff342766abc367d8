using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>A dataset and what a network makes of it.</summary>
/// <param name="Set">Without images that could not be read.</param>
/// <param name="Database">A row for each of its database images.</param>
/// <param name="Queries">A row for each of its queries.</param>
/// <param name="Skipped">Images that could not be read, with the reason.</param>
public sealed record DescribedSet(Dataset Set, DescriptorMatrix Database, DescriptorMatrix Queries, IReadOnlyList<(string Path, string Reason)> Skipped)
{
    /// <summary>For each query its number, from 0, in the set that was given: unreadable ones are missing.</summary>
    public IReadOnlyList<int> QueryNumbers { get; init; } = [.. Enumerable.Range(0, Set.Queries.Count)];

    /// <summary>Queries that could not be read: they are not among those of <see cref="Set"/>, and no recall counts them.</summary>
    public int UnreadableQueries { get; init; }

    /// <param name="batch">Images of one pass; no result depends on it.</param>
    public static DescribedSet Describe(
        Network network, Dataset set, IImageDecoder decoder, int batch = 16, IProgressSink? progress = null, CancellationToken token = default)
    {
        var skipped = new List<(string Path, string Reason)>();
        DescriptorMatrix Rows(IReadOnlyList<ImageRecord> images)
            => Extractor.Extract(network, [.. images.Select(i => i.Path)], decoder, network.Settings.Resize, batch, progress, token, (path, reason) => skipped.Add((path, reason)));
        var database = Rows(set.Database);
        var queries = Rows(set.Queries);
        if (skipped.Count == 0)
            return new(set, database, queries, skipped);
        var bad = skipped.Select(s => s.Path).ToHashSet();
        IEnumerable<int> Kept(IReadOnlyList<ImageRecord> images) => Enumerable.Range(0, images.Count).Where(i => !bad.Contains(images[i].Path));
        int[] kept = [.. Kept(set.Queries)];
        return new(set.Restrict(kept, Kept(set.Database)), database, queries, skipped) { QueryNumbers = kept, UnreadableQueries = set.Queries.Count - kept.Length };
    }
}
