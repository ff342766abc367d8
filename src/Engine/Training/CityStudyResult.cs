using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Retrieval;

namespace IlgpuNetVlad.Engine.Training;

/// <summary>What came out of a <see cref="CityStudy"/>; all figures are of the city's test split, which neither training nor validation sees.</summary>
/// <param name="Test">The split, for pictures of queries and answers.</param>
/// <param name="Max">Max pooling over the trunk as initialised.</param>
/// <param name="Average">Average pooling over it.</param>
/// <param name="Before">NetVLAD over it, clusters found.</param>
/// <param name="After">NetVLAD trained.</param>
/// <param name="Weights">File of the trained network.</param>
/// <param name="Seconds">The whole study.</param>
public sealed record CityStudyResult(
    Dataset Test, RecallReport Max, RecallReport Average, RecallReport Before, RecallReport After, TrainingResult Training, string Weights, double Seconds)
{
    /// <summary>Each row of the table that the study ends with.</summary>
    public IReadOnlyList<(string Name, RecallReport Report)> Rows
        => [("max pooling, as initialised", Max), ("average pooling, as initialised", Average), ("NetVLAD, as initialised", Before), ("NetVLAD, trained", After)];
}
