namespace IlgpuNetVlad.Engine.Studies;

/// <summary>A set that a study measures on.</summary>
/// <param name="Name">As tables call it.</param>
/// <param name="Split">A split's name, a range of queries, or one with the whole database, 435-585/all.</param>
/// <param name="Dataset">As on the command line; null is the set that is learnt from.</param>
public sealed record StudyTest(string Name, string Split, string? Dataset = null);
