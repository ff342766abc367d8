using IlgpuNetVlad.Engine.Retrieval;

namespace IlgpuNetVlad.Tests.Retrieval;

[TestFixture]
public sealed class Intervals
{
    // Newcombe, Statistics in Medicine 17 (1998), table I, method 3: 81/263, 15/148, 0/20, 1/29.
    [TestCase(81, 263, 0.2553, 0.3662)]
    [TestCase(15, 148, 0.0624, 0.1605)]
    [TestCase(0, 20, 0.0000, 0.1611)]
    [TestCase(1, 29, 0.0061, 0.1718)]
    public void Wilson_MatchesThePublishedTable(int hits, int trials, double low, double high)
    {
        var interval = WilsonInterval.Of(hits, trials);
        Assert.That(interval.Low, Is.EqualTo(low).Within(5e-5));
        Assert.That(interval.High, Is.EqualTo(high).Within(5e-5));
    }

    [Test]
    public void Wilson_EndsStayInside()
    {
        Assert.That(WilsonInterval.Of(20, 20).High, Is.EqualTo(1));
        Assert.That(WilsonInterval.Of(0, 0), Is.EqualTo(new WilsonInterval(0, 1)));
    }

    [Test]
    public void McNemar_CountsOnlyWhereTheyDiffer()
    {
        // 8 queries only the second answers, 1 only the first: p = 2·(C(9,0) + C(9,1))/2⁹ = 20/512.
        int[] first = [1, .. Enumerable.Repeat(0, 8), 1, 2];
        int[] second = [0, .. Enumerable.Repeat(1, 8), 1, 0];
        var compared = PairedComparison.Of(Report(first), Report(second));
        Assert.That((compared.OnlyFirst, compared.OnlySecond), Is.EqualTo((1, 8)));
        Assert.That(compared.PValue, Is.EqualTo(20.0 / 512).Within(1e-12));
        Assert.That(PairedComparison.Of(Report(first), Report(first)).PValue, Is.EqualTo(1));
    }

    [Test]
    public void Report_CountsAndComparesAsTheAuthorsDo()
    {
        var report = Report([1, 2, 0, 6]);
        Assert.That(report.Hits(1), Is.EqualTo(1));
        Assert.That(report.Recall(5), Is.EqualTo(0.5));
        Assert.That(report.Recall(10), Is.EqualTo(0.75));
        Assert.That(report.CompareTo(Report([1, 3, 0, 6])), Is.Positive, "the same recall@5, better recall@2");
        Assert.That(report.CompareTo(Report([5, 5, 5, 0])), Is.Negative, "recall@5 decides first");
        var times = report.ByTimeOfDay();
        Assert.That((times.Day.Queries, times.Sunset.Queries, times.Night.Queries), Is.EqualTo((2, 1, 1)));
        Assert.That(times.Day.FirstHit, Is.EqualTo(new[] { 1, 6 }));
        // Of places whose photographs cannot all be read, those that can keep their time.
        var some = report.ByTimeOfDay([1, 2, 3, 5]);
        Assert.That((some.Day.FirstHit, some.Sunset.FirstHit, some.Night.FirstHit), Is.EqualTo((new[] { 0 }, new[] { 1 }, new[] { 2, 6 })));
    }

    private static RecallReport Report(int[] ranks) => new(EvaluationOptions.StandardDepths, ranks, [.. ranks.Select(_ => Array.Empty<int>())], 0);
}
