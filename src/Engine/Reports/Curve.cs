namespace IlgpuNetVlad.Engine.Reports;

/// <summary>A named row of recalls.</summary>
/// <param name="Name">Stands in the legend.</param>
/// <param name="At">The N of recall@N, or the dimensions; ascending.</param>
/// <param name="Recall">0…1, one for each of <paramref name="At"/>.</param>
/// <param name="Low">Lower ends of their intervals, or null.</param>
/// <param name="High">Upper ends, or null.</param>
/// <param name="Companion">Of the curve before it: drawn in its colour, dashed, and without a name of its own in the legend.</param>
public sealed record Curve(
    string Name, IReadOnlyList<int> At, IReadOnlyList<double> Recall, IReadOnlyList<double>? Low = null, IReadOnlyList<double>? High = null, bool Companion = false);
