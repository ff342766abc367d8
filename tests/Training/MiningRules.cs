using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Engine.Training;

namespace IlgpuNetVlad.Tests.Training;

[TestFixture]
public sealed class MiningRules
{
    private const int Database = 60, Queries = 12;

    /// <summary>Database images every 10 m along a street, queries every 50 m and 2 m beside it; query 7 stands far away.</summary>
    private static Dataset Street()
    {
        ImageRecord At(string name, double east, double north) => new(name, east, north, null, null, null, null);
        return new("street", "train",
            [.. Enumerable.Range(0, Database).Select(i => At($"d{i}", 10 * i, 0))],
            [.. Enumerable.Range(0, Queries).Select(i => At($"q{i}", i == 7 ? 5000 : 50 * i + 3, 2))]);
    }

    private static DescriptorMatrix RandomDescriptors(int seed)
    {
        var random = new Random(seed);
        var rows = new DescriptorMatrix(Database + Queries, 37);
        for (int i = 0; i < rows.Rows; i++)
        {
            foreach (ref float x in rows.Row(i))
                x = random.NextSingle() - 0.5f;
            DescriptorMatrix.Normalise(rows.Row(i));
        }
        return rows;
    }

    private static double SquaredDistance(DescriptorMatrix rows, int a, int b)
        => Enumerable.Range(0, rows.Dimension).Sum(j => Math.Pow(rows.Row(a)[j] - rows.Row(b)[j], 2));

    /// <summary>With swapped roles database images ask too; the sheet shows what queries ask, in the dataset's own numbers.</summary>
    [Test]
    public void SheetOfWhatWasMined_ShowsQueriesWithTheirOwnPositivesAndNegatives()
    {
        var street = Street();
        var set = new TrainingSet(street, swapRoles: true);
        var tuples = new TupleMiner(set, new TrainingOptions { Margin = 4 }).Mine(Enumerable.Range(0, set.Anchors.Count).Reverse().ToArray(), RandomDescriptors(5), new SeededGenerator(1, 1));
        Assert.That(tuples.Count(t => t.Query < set.DatabaseCount), Is.Positive);
        using var folder = RunFolder.Create(Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()));
        var triples = new MinedSheet(street, set, new SkiaImageDecoder(), folder).Sample(tuples);
        Directory.Delete(folder.Root);
        Assert.That(triples, Has.Length.EqualTo(8));
        Assert.That(triples.Select(t => t.Query), Is.Ordered.And.Unique);
        foreach (var (query, positive, negatives) in triples)
        {
            var tuple = tuples.Single(t => t.Query == Database + query);
            Assert.That(street.PotentialPositives(query), Does.Contain(positive));
            Assert.That((positive, negatives), Is.EqualTo((tuple.Positive, tuple.Negatives[..4])).Using<(int?, IReadOnlyList<int>)>((a, b) => a.Item1 == b.Item1 && a.Item2.SequenceEqual(b.Item2)));
            Assert.That(negatives, Has.All.Matches<int>(d => street.IsNegative(query, d)));
        }
    }

    [Test]
    public void Set_LeavesQueriesWithoutPositiveOut()
    {
        var set = new TrainingSet(Street());
        Assert.That(set.WithoutPositive, Is.EqualTo(1));
        Assert.That(set.Anchors.Select(a => a.Image), Is.EqualTo(Enumerable.Range(0, Queries).Where(i => i != 7).Select(i => Database + i)));
    }

    [Test]
    public void Mine_ChoosesAsTheRulesSay()
    {
        var dataset = Street();
        var set = new TrainingSet(dataset);
        var options = new TrainingOptions { RandomNegatives = 1000, NegativesPerTuple = 4, RememberedNegatives = 6, Margin = 0.01f };
        var miner = new TupleMiner(set, options);
        var rows = RandomDescriptors(1);
        // Half of the queries look like their place, so that nothing violates.
        for (int q = 0; q < Queries; q += 2)
            rows.Row(dataset.PotentialPositives(q).FirstOrDefault()).CopyTo(rows.Row(Database + q));
        int[] all = [.. Enumerable.Range(0, set.Anchors.Count)];
        var tuples = miner.Mine(all, rows, new SeededGenerator(1)).ToDictionary(t => t.Query);
        int skipped = 0;
        for (int a = 0; a < all.Length; a++)
        {
            int query = set.Anchors[a].Image, q = query - Database;
            int positive = dataset.PotentialPositives(q).MinBy(p => SquaredDistance(rows, query, p));
            double limit = SquaredDistance(rows, query, positive) + 0.01;
            int[] hardest = [.. Enumerable.Range(0, Database).Where(d => dataset.IsNegative(q, d)).OrderBy(d => SquaredDistance(rows, query, d))];
            int[] violating = [.. hardest.Where(d => SquaredDistance(rows, query, d) < limit).Take(4)];
            Assert.That(miner.Remembered[a], Is.EqualTo(hardest.Take(6)), "remembered whether or not they violate, and when the query is skipped");
            if (violating.Length == 0)
            {
                skipped++;
                Assert.That(tuples, Does.Not.ContainKey(query));
                continue;
            }
            Assert.That(tuples[query].Positive, Is.EqualTo(positive));
            Assert.That(tuples[query].Negatives, Is.EqualTo(violating));
        }
        Assert.That(skipped, Is.Positive.And.LessThan(all.Length), "the data shows both cases");
    }

    [Test]
    public void Mine_JoinsRememberedWithFewRandomNegatives()
    {
        var dataset = Street();
        var set = new TrainingSet(dataset);
        var options = new TrainingOptions { RandomNegatives = 5, RememberedNegatives = 3, Margin = 10 };
        var miner = new TupleMiner(set, options);
        var rows = RandomDescriptors(2);
        var generator = new SeededGenerator(3);
        for (int round = 0; round < 200; round++)
        {
            int[] before = miner.Remembered[0];
            var tuple = miner.Mine([0], rows, generator).Single();
            Assert.That(tuple.Negatives, Has.Length.InRange(5, 8));
            Assert.That(tuple.Negatives, Is.SupersetOf(before));
            Assert.That(tuple.Negatives, Has.All.Matches<int>(d => dataset.IsNegative(0, d)));
            Assert.That(tuple.Negatives, Is.Unique);
        }
        var hardest = Enumerable.Range(0, Database).Where(d => dataset.IsNegative(0, d)).OrderBy(d => SquaredDistance(rows, Database, d)).Take(3);
        Assert.That(miner.Remembered[0], Is.EqualTo(hardest), "after many rounds the hardest of all are found");
    }

    [Test]
    public void Mine_DependsOnTheGeneratorAlone()
    {
        var set = new TrainingSet(Street());
        var rows = RandomDescriptors(4);
        var options = new TrainingOptions { RandomNegatives = 7, Flips = true, Margin = 10 };
        int[] all = [.. Enumerable.Range(0, set.Anchors.Count)];
        string Mined(ulong seed) => string.Join(';', new TupleMiner(set, options).Mine(all, rows, new SeededGenerator(seed))
            .Select(t => $"{t.Query},{t.Positive},{string.Join(' ', t.Negatives)},{t.Flip}"));
        Assert.That(Mined(1), Is.EqualTo(Mined(1)));
        Assert.That(Mined(1), Is.Not.EqualTo(Mined(2)));
        Assert.That(Mined(1), Does.Contain("True").And.Contain("False"));
    }

    [Test]
    public void SwappedRoles_AskQueriesForDatabaseImages()
    {
        ImageRecord Photo(string name) => new(name, double.NaN, double.NaN, null, null, null, null);
        var pairs = new Dataset("pairs", "all", [.. Enumerable.Range(0, 5).Select(i => Photo($"d{i}"))], [.. Enumerable.Range(0, 5).Select(i => Photo($"q{i}"))],
            truth: [.. Enumerable.Range(0, 5).Select(i => new[] { i })]);
        var set = new TrainingSet(pairs, swapRoles: true);
        Assert.That(set.Anchors, Has.Count.EqualTo(10));
        var random = new Random(1);
        var rows = new DescriptorMatrix(10, 3, [.. Enumerable.Range(0, 30).Select(_ => random.NextSingle())]);
        var tuples = new TupleMiner(set, new() { Margin = 10 }).Mine([.. Enumerable.Range(0, 10)], rows, new SeededGenerator(1));
        Assert.That(tuples, Has.Length.EqualTo(10));
        foreach (var t in tuples)
        {
            Assert.That(t.Positive, Is.EqualTo(t.Query >= 5 ? t.Query - 5 : t.Query + 5));
            Assert.That(t.Negatives, Is.EquivalentTo(Enumerable.Range(t.Query >= 5 ? 0 : 5, 5).Where(i => i != t.Positive)));
        }
    }

    [Test]
    public void DatabaseAsks_ForItsPlaceAtAnotherTime()
    {
        ImageRecord At(string name, double east, double time) => new(name, east, 0, time, null, null, null);
        var set = new Dataset("city", "train", [At("a0", 0, 0), At("a1", 1, 1), At("b0", 100, 0), At("c0", 200, 0)], [At("q", 0, 2)]);
        Assert.That(new TrainingSet(set).Anchors.Select(a => a.Image), Is.EqualTo(new[] { 4 }));
        var asking = new TrainingSet(set, databaseAsks: true);
        Assert.That(asking.Anchors.Select(a => a.Image), Is.EqualTo(new[] { 4, 0, 1 }));
        Assert.That(asking.Anchors[1].Positives, Is.EqualTo(new[] { 1 }));
        Assert.That(Enumerable.Range(0, 4).Where(d => asking.IsNegative(asking.Anchors[1], d)), Is.EqualTo(new[] { 2, 3 }));
        Assert.That(Enumerable.Range(0, 4).Where(d => asking.IsNegative(asking.Anchors[0], d)), Is.EqualTo(new[] { 2, 3 }));
    }

    [Test]
    public void Schedule_HalvesAndDoublesTogether()
    {
        var options = new TrainingOptions { LearningRate = 0.008f, HalveEvery = 5, RefreshInterval = 1000 };
        Assert.That(Enumerable.Range(1, 11).Select(e => Schedule.LearningRate(options, e)),
            Is.EqualTo(new[] { 0.008f, 0.008f, 0.008f, 0.008f, 0.008f, 0.004f, 0.004f, 0.004f, 0.004f, 0.004f, 0.002f }));
        Assert.That(new[] { 1, 5, 6, 11 }.Select(e => Schedule.RefreshInterval(options, e)), Is.EqualTo(new[] { 1000, 1000, 2000, 4000 }));
        Assert.That(Schedule.RefreshInterval(options with { GrowRefreshInterval = false }, 11), Is.EqualTo(1000));
        Assert.That(Schedule.RefreshInterval(options, 1_000_000), Is.EqualTo(int.MaxValue));
    }

    [Test]
    public void Generator_KnownSequenceAndState()
    {
        // xoshiro256** from the state 1, 2, 3, 4, worked out by hand: 2·5 rotated by 7 is 1280, times 9; then s₁ is 0; then 262149.
        var known = new SeededGenerator(0) { State = "0000000000000001-0000000000000002-0000000000000003-0000000000000004" };
        Assert.That(new[] { known.NextBits(), known.NextBits(), known.NextBits() }, Is.EqualTo(new ulong[] { 11520, 0, 1509978240 }));
        var first = new SeededGenerator(7, 1);
        first.NextBits();
        var second = new SeededGenerator(0) { State = first.State };
        Assert.That(second.Permutation(100), Is.EqualTo(first.Permutation(100)));
        Assert.That(new SeededGenerator(7, 2).NextBits(), Is.Not.EqualTo(new SeededGenerator(7, 1).NextBits()));
        Assert.That(first.Permutation(50).Order(), Is.EqualTo(Enumerable.Range(0, 50)));
    }
}
