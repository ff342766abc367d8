using IlgpuNetVlad.Engine.Models;

namespace IlgpuNetVlad.Engine.Studies;

/// <summary>One training of a study.</summary>
/// <param name="Clusters">Null for poolings without.</param>
/// <param name="TrainFrom">Null where all layers learn.</param>
/// <param name="Fold">From 1; null where there are none.</param>
public sealed record StudyCell(PoolingKind Pooling, int? Clusters, string? TrainFrom, bool TimeMachine, ulong Seed, int? Fold = null)
{
    /// <summary>Its folder: unique within a study.</summary>
    public string Name
        => $"{Network.Replace(", K = ", "-k")}-{TrainFrom ?? "all"}{(TimeMachine ? "" : "-same-time")}-seed{Seed}{(Fold is { } fold ? $"-fold{fold}" : "")}".Replace(' ', '-');

    /// <summary>The row of its start.</summary>
    public string Start => $"{Network}, as initialised";

    /// <summary>The row of what it comes to.</summary>
    public string Trained => $"{Network}, trained{(TrainFrom is null ? "" : $" from {TrainFrom}")}{(TimeMachine ? "" : ", positives of the same time")}";

    /// <summary>Which of a row's trainings it is.</summary>
    public string Turn => $"seed {Seed}{(Fold is { } fold ? $", fold {fold}" : "")}";

    private string Network => Pooling.Name() + (Clusters is { } k ? $", K = {k}" : "");
}
