namespace IlgpuNetVlad.Engine.Data;

/// <summary>Images of objects or scenes and queries among them, each with the images that show the same: Oxford5k, Paris6k, Holidays (1511.07247, section 5.5).</summary>
/// <param name="Name">That of its folder.</param>
/// <param name="Images">Paths.</param>
/// <param name="Missing">Right images that the lists name and the folder lacks; they are not asked for.</param>
public sealed record RetrievalSet(string Name, IReadOnlyList<string> Images, IReadOnlyList<RetrievalQuery> Queries, int Missing)
{
    /// <summary>The set with some of its images alone, by number and in their order, such as those that can be read; queries from others fall away, and so do those that no image answers any more.</summary>
    public RetrievalSet Restrict(IReadOnlyList<int> images)
    {
        var place = images.Select((image, i) => (image, i)).ToDictionary(p => p.image, p => p.i);
        HashSet<int> Kept(IReadOnlySet<int> old) => [.. old.Where(place.ContainsKey).Select(i => place[i])];
        return this with
        {
            Images = [.. images.Select(i => Images[i])],
            Queries = [.. Queries.Where(q => place.ContainsKey(q.Image))
                .Select(q => q with { Image = place[q.Image], Positives = Kept(q.Positives), Ignored = Kept(q.Ignored) })
                .Where(q => q.Positives.Count > 0)],
        };
    }
}
