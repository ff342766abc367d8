using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Retrieval;

namespace IlgpuNetVlad.Tests.Retrieval;

[TestFixture]
public sealed class RecallAgainstBruteForce
{
    [TestCase(false, false, false)]
    [TestCase(true, false, false)]
    [TestCase(true, false, true)]
    [TestCase(false, true, false)]
    [TestCase(true, true, false)]
    public void Evaluate_MatchesSortingEverything(bool times, bool panoramas, bool keep)
    {
        var random = new Random(11);
        const int database = 300, queries = 40, d = 8;
        ImageRecord Image(int i, bool query) => new(
            $"{(query ? "q" : "d")}{i}.jpg", random.Next(12) * 20, random.Next(3) * 20, times ? query && i % 5 == 0 ? 7 : random.Next(3) : null,
            panoramas && !query ? $"p{i / 4}" : null, null, null);
        var set = new Dataset("set", "test", [.. Enumerable.Range(0, database).Select(i => Image(i, false))], [.. Enumerable.Range(0, queries).Select(i => Image(i, true))]);
        // Few different values: many distances are equal, and ties must go to the lower index.
        DescriptorMatrix Rows(int n) => new(n, d, [.. Enumerable.Range(0, n * d).Select(_ => (float)random.Next(3))]);
        var db = Rows(database);
        var q = Rows(queries);
        var report = Evaluation.Evaluate(Devices.Cpu, set, db, q, new EvaluationOptions(PanoramaRule: panoramas, DropSameTime: !keep));
        int touched = 0;
        for (int i = 0; i < queries; i++)
        {
            var query = set.Queries[i];
            int[] all = [.. Enumerable.Range(0, database)
                .OrderBy(j => Enumerable.Range(0, d).Sum(x => Math.Pow(db.Row(j)[x] - q.Row(i)[x], 2))).ThenBy(j => j)];
            touched += all.Take(100).Any(j => set.Database[j].Time == query.Time) ? 1 : 0;
            var order = all.Where(j => !times || keep || set.Database[j].Time != query.Time);
            if (panoramas)
                order = order.DistinctBy(j => set.Database[j].Panorama);
            int[] expected = [.. order.Take(100)];
            Assert.That(report.Answers[i], Is.EqualTo(expected));
            int rank = Array.FindIndex(expected, j => Math.Sqrt(query.DistanceSquared(set.Database[j])) <= 25) + 1;
            Assert.That(report.FirstHit[i], Is.EqualTo(rank));
        }
        Assert.That(report.SameTime, Is.EqualTo(times && !keep ? touched : (int?)null));
    }

    [Test]
    public void Evaluate_CountsQueriesWithoutTruthAsMissed()
    {
        ImageRecord At(string name, double east) => new(name, east, 0, null, null, null, null);
        var set = new Dataset("set", "test", [At("a", 0), At("b", 1000)], [At("q", 25), At("r", 25.1), At("s", 500)]);
        var report = Evaluation.Evaluate(Devices.Cpu, set, new(2, 1, [0, 1]), new(3, 1, [0, 0, 0]));
        Assert.That(report.WithoutTruth, Is.EqualTo(2));
        Assert.That(report.Hits(1), Is.EqualTo(1));
        Assert.That(report.Recall(100), Is.EqualTo(1.0 / 3));
    }
}
