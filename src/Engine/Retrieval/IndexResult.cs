using IlgpuNetVlad.Engine.Models;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>What an <see cref="IndexJob"/> made.</summary>
/// <param name="Places">That the index holds.</param>
/// <param name="Positions">How many of them have a position.</param>
/// <param name="Dimension">Numbers of a descriptor.</param>
/// <param name="Settings">Of its network.</param>
/// <param name="ClustersFound">The weights had no clusters; they were sought in the photographs.</param>
/// <param name="KnownBefore">Photographs that were asked for and stood in the index already, or came twice.</param>
/// <param name="Skipped">Photographs that could not be read, with the reason.</param>
/// <param name="PassedOver">Of <see cref="Data.ImageFiles.PassedOver"/>.</param>
public sealed record IndexResult(
    int Places, int Positions, int Dimension, NetworkSettings Settings, bool ClustersFound, int KnownBefore, IReadOnlyList<(string Path, string Reason)> Skipped,
    IReadOnlyDictionary<string, int> PassedOver);
