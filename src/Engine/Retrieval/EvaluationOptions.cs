namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>How place recognition is scored.</summary>
/// <param name="PanoramaRule">
/// Only the best cutout of each database panorama counts (Tokyo 24/7: 12 cutouts a panorama). Panoramas are told apart by their id, where no image
/// has one by blocks of 12 consecutive images at one position, never by position alone: several panoramas share one.
/// </param>
/// <param name="DropSameTime">Results taken at the query's own time are left out, where times are known (Tokyo Time Machine, the city).</param>
public sealed record EvaluationOptions(bool PanoramaRule = false, bool DropSameTime = true)
{
    /// <summary>Depths at which recall is reported, ascending.</summary>
    public IReadOnlyList<int> Depths { get; init; } = StandardDepths;

    /// <summary>1, 2, 3, 4, 5, 10, 15, … 100: those of the authors.</summary>
    public static IReadOnlyList<int> StandardDepths { get; } = [1, 2, 3, 4, 5, .. Enumerable.Range(2, 19).Select(i => 5 * i)];
}
