namespace IlgpuNetVlad.Engine.Studies;

/// <summary>Splits, as on the command line, that one training of a study uses.</summary>
/// <param name="Test">What a fold tests; null where there are no folds and each test has a split of its own.</param>
public sealed record StudySplits(string Training, string Validation, string? Test);
