using IlgpuNetVlad.Engine.Retrieval;

namespace IlgpuNetVlad.Tests.Retrieval;

/// <summary>AP by hand.</summary>
[TestFixture, Parallelizable]
public sealed class AveragePrecisions
{
    private static double Of(int[] ranking, int[] positives, params int[] ignored) => AveragePrecision.Of(ranking, positives.ToHashSet(), ignored.ToHashSet());

    /// <summary>Trapezoids: a right answer at rank i adds (p before + p there)/2 over the number of positives.</summary>
    [Test]
    public void IsTheAreaUnderPrecisionOverRecall()
    {
        Assert.That(Of([0, 1, 2, 3], [0, 1]), Is.EqualTo(1));
        Assert.That(Of([2, 0, 3, 1], [0, 1]), Is.EqualTo(((0 + 0.5) / 2 + (1.0 / 3 + 0.5) / 2) / 2).Within(1e-15));
        Assert.That(Of([2, 0], [0]), Is.EqualTo(0.25).Within(1e-15), "p before the first rank is 1, at the wrong one 0");
        Assert.That(Of([2, 3], [0]), Is.Zero, "never found");
        Assert.That(Of([0], [0, 1]), Is.EqualTo(0.5), "one never found");
    }

    [Test]
    public void JunkIsTakenOutBeforeRanksAreCounted()
    {
        Assert.That(Of([7, 0, 8, 9, 1], [0, 1], 7, 8, 9), Is.EqualTo(1));
        Assert.That(Of([7, 2, 0], [0], 7), Is.EqualTo(Of([2, 0], [0])));
    }

    /// <summary>Against sums over all ranks, as Oxford5k's own program makes them.</summary>
    [Test]
    public void AgreesWithTheSumOverAllRanks([Range(1, 20)] int seed)
    {
        var random = new Random(seed);
        int[] ranking = [.. Enumerable.Range(0, 30)];
        random.Shuffle(ranking);
        int[] positives = [.. ranking.Where(_ => random.Next(4) == 0).Append(ranking[^1]).Distinct()], ignored = [.. ranking.Except(positives).Where(_ => random.Next(5) == 0)];
        double area = 0, recall = 0, precision = 1;
        int found = 0, rank = 0;
        foreach (int image in ranking.Except(ignored))
        {
            found += positives.Contains(image) ? 1 : 0;
            double newRecall = (double)found / positives.Length, newPrecision = (double)found / ++rank;
            area += (newRecall - recall) * (precision + newPrecision) / 2;
            (recall, precision) = (newRecall, newPrecision);
        }
        Assert.That(Of(ranking, positives, ignored), Is.EqualTo(area).Within(1e-12));
    }

    [Test]
    public void NoPositive_HasNoPrecision() => Assert.Throws<ArgumentOutOfRangeException>(() => Of([0], []));
}
