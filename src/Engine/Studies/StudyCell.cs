using IlgpuNetVlad.Engine.Models;

namespace IlgpuNetVlad.Engine.Studies;

/// <summary>One training of a study.</summary>
/// <param name="Clusters">Null for poolings without.</param>
/// <param name="TrainFrom">Null where all layers learn.</param>
public sealed record StudyCell(PoolingKind Pooling, int? Clusters, string? TrainFrom, bool TimeMachine, ulong Seed)
{
    /// <summary>Its folder: unique within a study.</summary>
    public string Name => $"{Network.Replace(", K = ", "-k")}-{TrainFrom ?? "all"}{(TimeMachine ? "" : "-same-time")}-seed{Seed}".Replace(' ', '-');

    /// <summary>The row of its start.</summary>
    public string Start => $"{Network}, as initialised";

    /// <summary>The row of what it comes to.</summary>
    public string Trained => $"{Network}, trained{(TrainFrom is null ? "" : $" from {TrainFrom}")}{(TimeMachine ? "" : ", positives of the same time")}";

    private string Network => Pooling.Name() + (Clusters is { } k ? $", K = {k}" : "");
}
