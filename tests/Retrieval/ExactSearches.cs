using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.Retrieval;

/// <summary>What the search keeps between calls: the database in the kernel's form, and memory that grows.</summary>
[TestFixture]
public sealed class ExactSearches
{
    private const int Rows = 1100, Dimension = 300;

    [Test]
    public void Find_GivesWhatAFreshSearchGives_AfterCallsOfOtherSizes()
    {
        var (database, queries) = Matrices(40);
        using var kept = new ExactSearch(Devices.Cpu, database);
        foreach (var (count, depth) in new[] { (1, 3), (40, 50), (2, 5), (30, 2), (0, 4), (1, 1100), (1, 2048) })
        {
            var asked = new DescriptorMatrix(count, Dimension, queries.Values);
            using var fresh = new ExactSearch(Devices.Cpu, database);
            var (rows, distances) = kept.Find(asked, depth);
            var (expectedRows, expectedDistances) = fresh.Find(asked, depth);
            Assert.That(rows, Is.EqualTo(expectedRows), $"{count} queries, {depth} answers");
            Assert.That(distances, Is.EqualTo(expectedDistances));
            Assert.That(rows, Has.All.Length.EqualTo(Math.Min(depth, Rows)));
        }
    }

    [Test]
    public void Find_IsThatOfSquaredDifferences()
    {
        var (database, queries) = Matrices(3);
        using var search = new ExactSearch(Devices.Cpu, database);
        var (rows, distances) = search.Find(queries, 4);
        for (int q = 0; q < queries.Rows; q++)
        {
            double Distance(int row)
            {
                double sum = 0;
                for (int i = 0; i < Dimension; i++)
                    sum += Math.Pow((double)queries.Row(q)[i] - database.Row(row)[i], 2);
                return sum;
            }

            int[] expected = [.. Enumerable.Range(0, Rows).OrderBy(Distance).Take(4)];
            Assert.That(rows[q], Is.EqualTo(expected));
            for (int i = 0; i < expected.Length; i++)
                Assert.That(distances[q][i], Is.EqualTo(Distance(expected[i])).Within(NearestNeighbours.Operation.Tolerance(new(3, Rows, Dimension, 4)) * Distance(expected[i])));
        }
    }

    /// <summary>The database as the kernel reads it stands for the database: 1.1 times its bytes, with norms and the last panel's padding.</summary>
    [Test]
    public void TheDatabase_IsKeptOnce()
    {
        var (database, _) = Matrices(1);
        using var device = Device.Cpu(1);
        using var search = new ExactSearch(device, database);
        Assert.That(device.AllocatedBytes, Is.InRange(sizeof(float) * Rows * Dimension, sizeof(float) * Rows * Dimension * 1.1));
    }

    [Test]
    public void CallsFromSeveralThreads_GiveEachItsOwn()
    {
        var (database, queries) = Matrices(40);
        using var search = new ExactSearch(Devices.Cpu, database);
        var expected = search.Find(queries, 7).Rows;
        Parallel.For(0, 400, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i =>
        {
            int q = i % queries.Rows;
            var (rows, _) = search.Find(new DescriptorMatrix(1, Dimension, queries.Row(q).ToArray()), 7);
            Assert.That(rows[0], Is.EqualTo(expected[q]));
        });
    }

    [TestCase(0)]
    [TestCase(-1)]
    [TestCase(2049)]
    public void ADepthThatNoKernelReaches_IsRefused(int depth)
    {
        var (database, queries) = Matrices(1);
        using var search = new ExactSearch(Devices.Cpu, database);
        Assert.That(() => search.Find(queries, depth), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("depth"));
        Assert.That(() => search.Find(new DescriptorMatrix(0, Dimension, []), depth), Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void ADisposedSearch_SaysSo()
    {
        var (database, queries) = Matrices(1);
        var search = new ExactSearch(Devices.Cpu, database);
        search.Dispose();
        Assert.That(search.Dispose, Throws.Nothing, "twice does no harm");
        Assert.That(() => search.Find(queries, 1), Throws.TypeOf<ObjectDisposedException>());
    }

    /// <summary>Memory is not taken from under a search: each call is whole, or finds the search disposed.</summary>
    [Test]
    public void DisposingWhileOthersSearch_WaitsForThem()
    {
        var (database, queries) = Matrices(40);
        for (int round = 0; round < 20; round++)
        {
            var search = new ExactSearch(Devices.Cpu, database);
            var expected = search.Find(queries, 7).Rows;
            using var begun = new CountdownEvent(3);
            var searches = Enumerable.Range(0, 3).Select(_ => Task.Run(() =>
            {
                begun.Signal();
                try
                {
                    while (true)
                        Assert.That(search.Find(queries, 7).Rows, Is.EqualTo(expected));
                }
                catch (ObjectDisposedException e)
                {
                    return e.ObjectName;
                }
            })).ToArray();
            begun.Wait();
            search.Dispose();
            Assert.That(searches.Select(s => s.Result), Has.All.EqualTo(typeof(ExactSearch).FullName));
        }
    }

    private static (DescriptorMatrix Database, DescriptorMatrix Queries) Matrices(int queries)
    {
        var random = new Random(3);
        float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() * 2 - 1)];
        return (new(Rows, Dimension, Values(Rows * Dimension)), new(queries, Dimension, Values(queries * Dimension)));
    }
}
