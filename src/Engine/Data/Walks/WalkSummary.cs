namespace IlgpuNetVlad.Engine.Data.Walks;

/// <summary>What a split of a <see cref="WalkSet"/> holds.</summary>
/// <param name="WithAnotherWalk">Queries that another walk through their area answers too.</param>
/// <param name="NearestAnswer">Seconds from a query to the nearest right answer of its own walk.</param>
/// <param name="AllAnswers">Seconds from a query to every right answer of its own walk.</param>
public sealed record WalkSummary(string Split, int Levels, int Database, int Queries, int WithAnotherWalk, Spread NearestAnswer, Spread AllAnswers);
