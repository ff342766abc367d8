namespace IlgpuNetVlad.Engine.Data;

/// <summary>One query of a <see cref="RetrievalSet"/>; images by their numbers there.</summary>
/// <param name="Name">As the set calls it, such as <c>all_souls_1</c>.</param>
/// <param name="Image">Which image it is taken from.</param>
/// <param name="Region">What of that image is asked for; null for all of it.</param>
/// <param name="Positives">Images that are right; one at least.</param>
/// <param name="Ignored">Images that count neither as right nor as wrong.</param>
public sealed record RetrievalQuery(string Name, int Image, PixelRegion? Region, IReadOnlySet<int> Positives, IReadOnlySet<int> Ignored);
