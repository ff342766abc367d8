using IlgpuNetVlad.Engine.Data;

namespace IlgpuNetVlad.Engine.Training;

/// <summary>
/// A dataset as training sees it: images numbered 0 … M − 1, database first, and the anchors that ask: every query that has a potential
/// positive, with swapped roles every database image that is one, and where the database asks every image of it that was taken again at another time.
/// </summary>
public sealed class TrainingSet
{
    private readonly Dataset dataset;
    private readonly Dataset? within;
    private readonly Anchor[] anchors;

    /// <exception cref="UserErrorException">No query has a potential positive.</exception>
    public TrainingSet(Dataset dataset, bool swapRoles = false, bool databaseAsks = false)
    {
        this.dataset = dataset;
        int database = dataset.Database.Count, queries = dataset.Queries.Count;
        Images = [.. dataset.Database.Concat(dataset.Queries).Select(r => r.Path)];
        DatabaseCount = database;
        var found = new List<Anchor>();
        var askedBy = new List<int>[database];
        for (int q = 0; q < queries; q++)
        {
            int[] positives = dataset.PotentialPositives(q);
            if (positives.Length == 0)
            {
                WithoutPositive++;
                continue;
            }
            found.Add(new(database + q, positives, 0, database));
            foreach (int p in positives)
                (askedBy[p] ??= []).Add(database + q);
        }
        if (swapRoles)
            for (int d = 0; d < database; d++)
                if (askedBy[d] is { } asking)
                    found.Add(new(d, [.. asking], database, queries));
        if (databaseAsks && dataset.HasTimes && !dataset.HasExplicitTruth)
        {
            within = new Dataset(dataset.Name, dataset.Split, dataset.Database, dataset.Database, dataset.Rules);
            for (int d = 0; d < database; d++)
                if (within.PotentialPositives(d) is { Length: > 0 } positives)
                    found.Add(new(d, positives, 0, database));
        }
        if (found.Count == 0)
            throw new UserErrorException($"No query of {dataset.Name} has a potential positive: check positions and times, or widen the training radius.");
        anchors = [.. found];
    }

    /// <summary>Paths, the database's images before the queries.</summary>
    public IReadOnlyList<string> Images { get; }

    /// <summary>How many of the images are the database's.</summary>
    public int DatabaseCount { get; }

    /// <summary>Who may ask in training.</summary>
    public IReadOnlyList<Anchor> Anchors => anchors;

    /// <summary>Queries left out since they have no potential positive.</summary>
    public int WithoutPositive { get; }

    /// <summary>Whether an image is surely another place than the anchor's.</summary>
    /// <param name="image">One of the anchor's candidates.</param>
    public bool IsNegative(Anchor anchor, int image)
    {
        if (anchor.Image >= DatabaseCount)
            return dataset.IsNegative(anchor.Image - DatabaseCount, image);
        return image < DatabaseCount ? within!.IsNegative(anchor.Image, image) : dataset.IsNegative(image - DatabaseCount, anchor.Image);
    }
}
