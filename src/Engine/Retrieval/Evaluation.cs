using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>
/// Place recognition (1511.07247, section 5.1): recall@N is the share of all queries with at least one database image within 25 m
/// among their first N answers. Queries without any such image count as missed; how many there are is reported beside it. Queries that cannot be read were left out of the set before.
/// </summary>
public static class Evaluation
{
    /// <summary>How much deeper to search where results of the query's own time are left out.</summary>
    private const int SameTimeFactor = 10;

    /// <param name="database">A row for each image of <see cref="Dataset.Database"/>.</param>
    /// <param name="queries">A row for each image of <see cref="Dataset.Queries"/>.</param>
    /// <exception cref="UserErrorException">Rows and images differ in number, or the panorama rule is asked for and panoramas are not known.</exception>
    public static RecallReport Evaluate(Device device, Dataset dataset, DescriptorMatrix database, DescriptorMatrix queries, EvaluationOptions? options = null)
    {
        options ??= new();
        if (database.Rows != dataset.Database.Count || queries.Rows != dataset.Queries.Count)
            throw new UserErrorException(
                $"{dataset.Name} has {dataset.Database.Count} database images and {dataset.Queries.Count} queries, the descriptors {database.Rows} and {queries.Rows}: extract them again, or leave the unreadable images out of the set.");
        int deepest = options.Depths[^1];
        bool dropSameTime = options.DropSameTime && dataset.HasTimes;
        int depth = deepest * (options.PanoramaRule ? Panoramas.Cutouts : 1) * (dropSameTime ? SameTimeFactor : 1);
        using var search = new ExactSearch(device, database);
        var found = search.Find(queries, Math.Min(depth, NearestNeighbours.MaxK)).Rows;
        var panoramas = options.PanoramaRule ? Panoramas.Of(dataset) : null;
        var firstHit = new int[queries.Rows];
        var answers = new int[queries.Rows][];
        int withoutTruth = 0, sameTime = 0;
        for (int q = 0; q < queries.Rows; q++)
        {
            int query = q;
            IEnumerable<int> kept = dropSameTime ? found[q].Where(d => !dataset.SharesTime(query, d)) : found[q];
            if (dropSameTime && found[q].Take(deepest).Any(d => dataset.SharesTime(query, d)))
                sameTime++;
            if (panoramas is not null)
                kept = kept.DistinctBy(d => panoramas[d]);
            answers[q] = [.. kept.Take(deepest)];
            // A right image that only the query's own time shows was left out of the answers: it is no truth either.
            int[] truth = dropSameTime ? [.. dataset.GroundTruth(q).Where(d => !dataset.SharesTime(query, d))] : dataset.GroundTruth(q);
            withoutTruth += truth.Length == 0 ? 1 : 0;
            firstHit[q] = Array.FindIndex(answers[q], d => Array.BinarySearch(truth, d) >= 0) + 1;
        }
        return new(options.Depths, firstHit, answers, withoutTruth, dropSameTime ? sameTime : null);
    }
}
