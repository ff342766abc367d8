using IlgpuNetVlad.Engine.Data;

namespace IlgpuNetVlad.Engine.Studies;

/// <summary>A set that a study measures on.</summary>
/// <param name="Name">As tables call it.</param>
/// <param name="Split">A split's name, ranges of queries, or those with the whole database, 435-585/all. Of a study with folds and its own set: fold or fold/all, the queries of each fold.</param>
/// <param name="Dataset">As on the command line; null is the set that is learnt from.</param>
public sealed record StudyTest(string Name, string Split, string? Dataset = null)
{
    private const string Fold = "fold";

    /// <summary>Whether each fold asks its own queries here, so that all folds together are one test.</summary>
    internal bool IsOfFolds => Dataset is null && Split is Fold or Fold + QueryRanges.Whole;

    /// <summary>The split to open.</summary>
    internal string In(StudySplits splits) => IsOfFolds ? splits.Test + Split[Fold.Length..] : Split;
}
