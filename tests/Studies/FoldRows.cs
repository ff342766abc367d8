using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Studies;

namespace IlgpuNetVlad.Tests.Studies;

/// <summary>What becomes of folds in a study's table.</summary>
[TestFixture]
public sealed class FoldRows
{
    private static readonly StudySettings Settings = new()
    {
        Title = "Folds", Dataset = "set", Folds = new(2, 1), Tests = [new("own", "fold"), new("elsewhere", "all", "other")], Pooling = [PoolingKind.Max], Seeds = [1, 2], Dimensions = [8],
    };

    private static StudyMeasurement Of(string test, ulong seed, int fold, params int[] ranks) => new("max, trained", test, 0, false, seed, ranks, fold);

    // Out of order, as nothing says that they are in it.
    private static readonly StudyResult Result = new(Settings,
    [
        Of("own", 1, 2, 3, 4), Of("own", 1, 1, 1, 2), Of("own", 2, 1, 5, 6), Of("own", 2, 2, 1, 1), Of("elsewhere", 1, 1, 1), Of("elsewhere", 1, 2, 0), Of("elsewhere", 2, 1, 0), Of("elsewhere", 2, 2, 0),
        Of("own", 1, 1, 1, 9) with { Dimensions = 8 }, Of("own", 1, 2, 1, 9) with { Dimensions = 8 },
    ]);

    [Test]
    public void ASeedsFoldsAreOneMeasurementOfAllQueries_InTheirOrder()
    {
        var row = Result.Rows("own").Single();
        Assert.That(row.Seeds.Select(s => s.FirstHit), Is.EqualTo(new int[][] { [1, 2, 3, 4], [5, 6, 1, 1] }));
        Assert.That((row.Queries, row.Recall(1)), Is.EqualTo((4, 3 / 8.0)));
        var shorter = Result.ShortRows.Single();
        Assert.That((shorter.Dimensions, shorter.Row.Seeds.Single().FirstHit), Is.EqualTo((8, new[] { 1, 9, 1, 9 })));
    }

    /// <summary>Another set's queries are the same for every fold: each network is one more measurement of them.</summary>
    [Test]
    public void OnAnotherSetEveryTrainingStandsForItself()
    {
        var row = Result.Rows("elsewhere").Single();
        Assert.That((row.Seeds.Count, row.Queries, row.Recall(1)), Is.EqualTo((4, 1, 0.25)));
    }

    [Test]
    public void TheTableTellsFoldsApart()
        => Assert.That(Result.Markdown(), Does.Contain("| | fold 1 | fold 2 |").And.Contain("| max, trained | 25.0 ± 35.4 | 50.0 ± 70.7 |"));
}
