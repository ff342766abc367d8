namespace IlgpuNetVlad.Engine.Reports;

/// <summary>The answers of one network to the queries of a dataset.</summary>
/// <param name="Name">Stands above them: "before training".</param>
/// <param name="Answers">For each query of the set, database indices, best first.</param>
public sealed record AnswerColumn(string Name, IReadOnlyList<int[]> Answers);
