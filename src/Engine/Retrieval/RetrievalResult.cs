using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>What a <see cref="RetrievalJob"/> measured.</summary>
/// <param name="Set">Without images that could not be read.</param>
/// <param name="Settings">Of the network that was measured.</param>
/// <param name="ClustersFound">The weights had no clusters; they were sought in the set.</param>
/// <param name="ByDimension">AP of each query at each length of descriptors, the whole one first.</param>
/// <param name="Skipped">Images that could not be read, with the reason.</param>
/// <param name="LostQueries">Queries that fell away with them.</param>
public sealed record RetrievalResult(
    RetrievalSet Set, NetworkSettings Settings, bool ClustersFound, IReadOnlyList<(int Dimension, IReadOnlyList<double> Precisions)> ByDimension,
    IReadOnlyList<(string Path, string Reason)> Skipped, int LostQueries);
