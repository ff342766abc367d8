namespace IlgpuNetVlad.Engine.Data;

/// <summary>Which database images count as positives and negatives of a query. Radii in metres.</summary>
/// <param name="TrainRadius">Potential positives of training lie within this (d² ≤ r²).</param>
/// <param name="NegativeRadius">Definite negatives lie beyond this (d² > r²).</param>
/// <param name="TestRadius">Right answers lie within this (d² ≤ r²).</param>
/// <param name="SelfRadius">Without capture times, a potential positive must be farther than this (d² > r²), or a query would be its own.</param>
/// <param name="TimeMachine">Where capture times are known, potential positives come from another time than the query's, at any distance from
/// 0 on. False is the ablation: they come only from the query's own time, and <paramref name="SelfRadius"/> applies.</param>
public sealed record DatasetRules(
    double TrainRadius = 10, double NegativeRadius = 25, double TestRadius = 25, double SelfRadius = 1, bool TimeMachine = true);
