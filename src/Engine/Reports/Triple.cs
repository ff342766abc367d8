namespace IlgpuNetVlad.Engine.Reports;

/// <summary>A query with what training sets against it; indices into a dataset.</summary>
/// <param name="Positive">Database image of the same place; null where there is none.</param>
/// <param name="Negatives">Database images of other places.</param>
public sealed record Triple(int Query, int? Positive, IReadOnlyList<int> Negatives);
