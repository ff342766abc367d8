using IlgpuNetVlad.Engine.Studies;

namespace IlgpuNetVlad.Tests.Studies;

/// <summary>The figures of a study's table.</summary>
[TestFixture]
public sealed class StudyRows
{
    private static StudyRow Row(string name, params int[][] ranks)
        => new(name, [.. ranks.Select((r, seed) => new StudyMeasurement(name, "test", 0, false, (ulong)seed, r))]);

    [Test]
    public void MeanAndSpreadAreOverTheSeeds()
    {
        var row = Row("a", [1, 0, 2, 1], [1, 1, 1, 0], [1, 0, 0, 6]);
        // 2, 3 and 1 of 4 queries.
        Assert.That(row.Recall(1), Is.EqualTo(0.5).Within(1e-12));
        Assert.That(row.Spread(1), Is.EqualTo(0.25).Within(1e-12));
        Assert.That(row.Recall(5), Is.EqualTo((3 + 3 + 1) / 12.0).Within(1e-12));
        Assert.That(row.Recall(10), Is.EqualTo((3 + 3 + 2) / 12.0).Within(1e-12));
        Assert.That(Row("one", [1, 0]).Spread(1), Is.Zero);
    }

    [Test]
    public void MoreSeedsOfTheSameQueriesDoNotNarrowTheInterval()
    {
        int[] ranks = [.. Enumerable.Range(0, 100).Select(i => i < 60 ? 1 : 0)];
        var one = Row("one", ranks).Interval(1);
        Assert.That(Row("three", ranks, ranks, ranks).Interval(1), Is.EqualTo(one));
        // Wilson, 60 of 100: 0.502 to 0.691.
        Assert.That((one.Low, one.High), Is.EqualTo((0.502, 0.691)).Using<(double, double)>((a, b) => Math.Abs(a.Item1 - b.Item1) < 1e-3 && Math.Abs(a.Item2 - b.Item2) < 1e-3));
    }

    [Test]
    public void AQuerySpeaksForTheRowThatHitItWithMoreSeeds()
    {
        // Query by query: 2 hits against 1, 2 against 2, 0 against 1, 2 against 0, 1 against 0.
        var a = Row("a", [1, 1, 2, 1, 1], [1, 1, 0, 1, 0]);
        var b = Row("b", [1, 1, 1, 0, 0], [0, 1, 0, 3, 0]);
        var test = a.Against(b);
        Assert.That((test.OnlyFirst, test.OnlySecond), Is.EqualTo((3, 1)));
        // Four coins, at most one on the rarer side, either way: 2·(1 + 4)/16.
        Assert.That(test.PValue, Is.EqualTo(0.625).Within(1e-12));
        Assert.That(a.Against(a).PValue, Is.EqualTo(1));
    }
}
