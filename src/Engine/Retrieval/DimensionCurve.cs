using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>Recall over the length of the descriptors after PCA (1511.07247, section 5.3): the longest is cut to each shorter length and made unit length again.</summary>
public static class DimensionCurve
{
    /// <param name="described">With descriptors before PCA, or after it.</param>
    /// <param name="pca">Null where that is done.</param>
    /// <param name="dimensions">Each at most as many as there are components.</param>
    /// <returns>In the order of <paramref name="dimensions"/>.</returns>
    public static IReadOnlyList<(int Dimension, RecallReport Report)> Measure(
        Device device, DescribedSet described, Projection? pca, IReadOnlyList<int> dimensions, EvaluationOptions? options = null, CancellationToken token = default)
    {
        var longest = pca?.Cut(dimensions.Max());
        var database = longest?.Apply(device, described.Database) ?? described.Database;
        var queries = longest?.Apply(device, described.Queries) ?? described.Queries;
        var curve = new List<(int, RecallReport)>();
        foreach (int dimension in dimensions)
        {
            token.ThrowIfCancellationRequested();
            curve.Add((dimension, Evaluation.Evaluate(device, described.Set, database.Cut(dimension), queries.Cut(dimension), options)));
        }
        return curve;
    }
}
