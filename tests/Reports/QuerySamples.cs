using IlgpuNetVlad.Engine.Reports;

namespace IlgpuNetVlad.Tests.Reports;

/// <summary>Which queries a picture shows.</summary>
[TestFixture]
public sealed class QuerySamples
{
    [Test]
    public void KindsStandInProportion()
    {
        // 200 right in both, 120 gained, 40 lost, 40 wrong, mixed.
        var kinds = Enumerable.Range(0, 400).Select(i => (i * 7 % 400) switch { < 200 => (true, true), < 320 => (false, true), < 360 => (true, false), _ => (false, false) }).ToArray();
        bool[] before = [.. kinds.Select(k => k.Item1)], after = [.. kinds.Select(k => k.Item2)];
        int[] chosen = QuerySample.Proportional(before, after, 10);
        Assert.That(chosen, Is.Ordered.And.Unique);
        Assert.That(chosen.GroupBy(q => kinds[q]).ToDictionary(g => g.Key, g => g.Count()), Is.EquivalentTo(new Dictionary<(bool, bool), int>
        {
            [(true, true)] = 5, [(false, true)] = 3, [(true, false)] = 1, [(false, false)] = 1,
        }));
        Assert.That(chosen.Max() - chosen.Min(), Is.GreaterThan(200), "spread over the set");
        Assert.That(QuerySample.Tally(before, after), Is.EqualTo("200 right before and after, 120 gained, 40 lost, 40 wrong"));
    }

    [Test]
    public void WhatRoundingLeaves_GoesToWhomItCostMost()
    {
        // Of eight rows, 5, 3 and 2 queries have 4, 2.4 and 1.6.
        bool[] before = [true, true, true, true, true, false, false, false, false, false], after = [true, true, true, true, true, true, true, true, false, false];
        int[] chosen = QuerySample.Proportional(before, after, 8);
        Assert.That(new[] { chosen.Count(q => q < 5), chosen.Count(q => q is >= 5 and < 8), chosen.Count(q => q >= 8) }, Is.EqualTo(new[] { 4, 2, 2 }));
    }

    [Test]
    public void OneKindIsSpreadEvenlyOverTheSet()
    {
        bool[] odd = [.. Enumerable.Range(0, 100).Select(i => i % 2 == 1)];
        Assert.That(QuerySample.Of(odd, 5), Is.EqualTo(new[] { 11, 31, 51, 71, 91 }));
        Assert.That(QuerySample.Of(odd[..5], 5), Is.EqualTo(new[] { 1, 3 }), "all, where there are fewer");
        Assert.That(QuerySample.Of([], 5), Is.Empty);
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(8)]
    [TestCase(9)]
    public void FewAreAllShown_AndNoMoreThanAskedFor(int count)
    {
        var right = Enumerable.Range(0, count).Select(i => i % 3 == 0).ToArray();
        Assert.That(QuerySample.Proportional(right, right, 8), Has.Length.EqualTo(Math.Min(8, count)).And.All.InRange(0, Math.Max(0, count - 1)));
    }
}
