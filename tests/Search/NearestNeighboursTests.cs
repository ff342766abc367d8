using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.SearchTests;

/// <summary>What comparing variants on small examples cannot show: exact ties at any place, what is not a number, slices.</summary>
[TestFixture]
public sealed class NearestNeighboursTests
{
    [Test]
    public void EqualRows_HaveEqualDistances_WhereverTheyStand([Values(7, 40, 257, 2050)] int d, [Values(1, 5)] int queryCount)
    {
        const int distinct = 23, database = 23 * 30;
        var random = new Random(d);
        var rows = Values(random, distinct * d);
        var order = Enumerable.Range(0, database).Select(i => i % distinct).ToArray();
        random.Shuffle(order);
        var shape = new SearchShape(queryCount, database, d, database);
        var (distance, index) = Search(Devices.Cpu, shape, Values(random, queryCount * d), [.. order.SelectMany(r => rows[(r * d)..((r + 1) * d)])]);
        for (int q = 0; q < queryCount; q++)
        {
            var found = index[(q * database)..((q + 1) * database)];
            Assert.That(found.Order(), Is.EqualTo(Enumerable.Range(0, database)));
            for (int group = 0; group < distinct; group++)
            {
                var copies = found[(group * 30)..((group + 1) * 30)];
                Assert.That(copies.Select(i => order[i]).Distinct().Count(), Is.EqualTo(1), "the copies stand together");
                Assert.That(copies, Is.Ordered, "by lower index");
                Assert.That(distance[(q * database + group * 30)..(q * database + (group + 1) * 30)].Distinct().Count(), Is.EqualTo(1));
            }
        }
    }

    [Test]
    public void ARowEqualToTheQuery_IsAtDistanceZero([Values(3, 40, 1030, 4099)] int d)
    {
        var database = Values(new Random(1), 50 * d);
        var (distance, index) = Search(Devices.Cpu, new(50, 50, d, 2), database, database);
        for (int q = 0; q < 50; q++)
        {
            Assert.That(index[2 * q], Is.EqualTo(q));
            Assert.That(distance[2 * q], Is.EqualTo(0f));
            Assert.That(distance[2 * q + 1], Is.GreaterThan(0f));
        }
    }

    [Test]
    public void DistancesThatAreNotANumber_StandLast([Values] bool simulated)
    {
        float[] database = [float.NaN, 5, 1, float.NaN, 2, float.PositiveInfinity];
        var (distance, index) = Search(simulated ? Devices.Simulation : Devices.Cpu, new(2, 6, 1, 6), [1.5f, float.NaN], database);
        Assert.That(index[..3], Is.EqualTo(new[] { 2, 4, 1 }));
        Assert.That(index[3..6].Order(), Is.EqualTo(new[] { 0, 3, 5 }));
        Assert.That(distance[4..], Is.All.NaN);
        Assert.That(index[6..], Is.EqualTo(new[] { 0, 1, 2, 3, 4, 5 }));
    }

    /// <summary>Every height of a tile, alone and behind others, one piece of D and three, blocks of 512 rows and their rests.</summary>
    [Test]
    public void Queries_FindTheSame_HoweverManyAreAsked([Values(24, 700)] int d)
    {
        var random = new Random(5);
        const int queries = 70, rows = 2100, k = 10;
        float[] q = Values(random, queries * d), database = Values(random, rows * d);
        var together = Search(Devices.Cpu, new(queries, rows, d, k), q, database);
        for (int count = 1; count <= 26; count++)
        {
            int first = 3 * count % (queries - count);
            var fewer = Search(Devices.Cpu, new(count, rows, d, k), q[(first * d)..((first + count) * d)], database);
            Assert.That(fewer.Index, Is.EqualTo(together.Index[(first * k)..((first + count) * k)]), $"{count} queries");
            Assert.That(fewer.Distance, Is.EqualTo(together.Distance[(first * k)..((first + count) * k)]), $"{count} queries");
        }
    }

    /// <summary>Each has heaps of its own, which may be all but empty.</summary>
    [Test]
    public void Threads_ShareTheRows([Values(2, 300)] int queries)
    {
        var random = new Random(7);
        SearchShape shape = new(queries, 5000, 11, 40);
        float[] q = Values(random, queries * shape.D), database = Values(random, shape.Database * shape.D);
        (float[] Distance, int[] Index) On(int threads)
        {
            using var device = Device.Cpu(threads);
            return Search(device, shape, q, database);
        }

        var alone = On(1);
        var several = On(9);
        Assert.That(several.Index, Is.EqualTo(alone.Index));
        Assert.That(several.Distance, Is.EqualTo(alone.Distance));
    }

    /// <summary>Several blocks of queries and of rows, and pieces of D.</summary>
    [TestCase(500, 1300, 300, 7)]
    [TestCase(30, 90, 100_000, 5)]
    public void Blocks_FindWhatPlainLoopsFind(int queries, int rows, int d, int k)
    {
        var random = new Random(6);
        float[][] inputs = [Values(random, queries * d), Values(random, rows * d), [], []];
        var operation = NearestNeighbours.Operation;
        SearchShape shape = new(queries, rows, d, k);
        var expected = DeviceTests.VariantsAgree.Run(operation, operation.Variants[^1], Devices.Cpu, shape, inputs);
        var (distance, index) = Search(Devices.Cpu, shape, inputs[0], inputs[1]);
        Assert.That(index, Is.EqualTo(expected[3].Select(BitConverter.SingleToInt32Bits)));
        Assert.That(DeviceCheck.RelativeError(distance, expected[2]), Is.LessThanOrEqualTo(operation.Tolerance(shape)));
    }

    [TestCase(-1, 5, 3, 1)]
    [TestCase(1, -5, 3, 1)]
    [TestCase(1, 5, 0, 1)]
    [TestCase(1, 5, 3, 0)]
    [TestCase(1, 5, 3, 6)]
    [TestCase(1, 5000, 3, 2049)]
    public void Check_RefusesWhatHasNoMeaning(int queries, int database, int d, int k)
        => Assert.That(NearestNeighbours.Operation.Check(new(queries, database, d, k)), Is.Not.Null);

    private static float[] Values(Random random, int count)
    {
        var values = new float[count];
        for (int i = 0; i < count; i++)
            values[i] = random.NextSingle() * 2 - 1;
        return values;
    }

    private static (float[] Distance, int[] Index) Search(Device device, SearchShape shape, float[] queries, float[] database)
    {
        var operation = NearestNeighbours.Operation;
        var results = DeviceTests.VariantsAgree.Run(operation, operation.Choose(device, shape), device, shape, [queries, database, [], []]);
        return (results[2], [.. results[3].Select(BitConverter.SingleToInt32Bits)]);
    }
}
