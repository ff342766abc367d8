using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Engine.Training;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.Training;

[TestFixture]
public sealed class KMeansClusters
{
    [Test]
    public void Cluster_FindsWellSeparatedMeans()
    {
        var random = new Random(1);
        var samples = new DescriptorMatrix(300, 6);
        for (int i = 0; i < samples.Rows; i++)
            for (int j = 0; j < 6; j++)
                samples.Row(i)[j] = (j == i % 6 ? 10 : 0) + random.NextSingle() * 0.1f;
        var centres = KMeans.Cluster(Devices.Cpu, samples, 6, 100, seed: 1);
        for (int b = 0; b < 6; b++)
        {
            var mean = Mean(samples, Enumerable.Range(0, 50).Select(i => i * 6 + b));
            double nearest = Enumerable.Range(0, 6).Min(k => Enumerable.Range(0, 6).Max(j => Math.Abs(centres[k * 6 + j] - mean[j])));
            Assert.That(nearest, Is.LessThan(1e-6), $"blob {b}");
        }
    }

    [Test]
    public void Cluster_EndsWhereEveryCentreIsTheMeanOfItsOwn()
    {
        var random = new Random(3);
        var samples = new DescriptorMatrix(500, 4, [.. Enumerable.Range(0, 2000).Select(_ => random.NextSingle())]);
        var centres = KMeans.Cluster(Devices.Cpu, samples, 9, 1000, seed: 5);
        var nearest = Enumerable.Range(0, 500).Select(i => Enumerable.Range(0, 9).MinBy(k => Enumerable.Range(0, 4).Sum(j => Math.Pow(samples.Row(i)[j] - centres[k * 4 + j], 2)))).ToArray();
        for (int k = 0; k < 9; k++)
        {
            var own = Enumerable.Range(0, 500).Where(i => nearest[i] == k).ToArray();
            Assert.That(own, Is.Not.Empty);
            var mean = Mean(samples, own);
            for (int j = 0; j < 4; j++)
                Assert.That(centres[k * 4 + j], Is.EqualTo(mean[j]).Within(1e-5));
        }
    }

    [Test]
    public void Cluster_GivesTheSameBitsForAnyNumberOfThreads()
    {
        var random = new Random(4);
        var samples = new DescriptorMatrix(3000, 16, [.. Enumerable.Range(0, 48000).Select(_ => random.NextSingle() - 0.5f)]);
        using var one = Device.Cpu(1);
        using var three = Device.Cpu(3);
        Assert.That(KMeans.Cluster(three, samples, 20, 30, seed: 9), Is.EqualTo(KMeans.Cluster(one, samples, 20, 30, seed: 9)));
        Assert.That(KMeans.Cluster(one, samples, 20, 30, seed: 10), Is.Not.EqualTo(KMeans.Cluster(one, samples, 20, 30, seed: 9)));
    }

    [Test]
    public void Cluster_FindsEveryValueWhereThereAreAsManyAsClusters()
    {
        var samples = new DescriptorMatrix(700, 1, [.. Enumerable.Range(0, 700).Select(i => (float)(i % 7 * (i % 7)))]);
        var centres = KMeans.Cluster(Devices.Cpu, samples, 7, 100, seed: 2);
        Assert.That(centres.Order(), Is.EqualTo(new[] { 0f, 1, 4, 9, 16, 25, 36 }));
        Assert.That(() => KMeans.Cluster(Devices.Cpu, samples, 8, 100, seed: 2), Throws.TypeOf<UserErrorException>().With.Message.Contains("only 7 different values"));
    }

    [Test]
    public void FillEmpty_TakesTheFarthestOfALargeCluster()
    {
        var samples = new DescriptorMatrix(5, 1, [0, 1, 9, 50, 70]);
        int[] nearest = [0, 0, 0, 1, 1];
        KMeans.FillEmpty(samples, [1, 60, 500, 600], nearest, 4);

        Assert.That(nearest, Is.EqualTo(new[] { 0, 0, 3, 2, 1 }), "both far ones of cluster 1 are as far; the first goes, then cluster 1 has a single sample left");
    }

    [Test]
    public void Cluster_RefusesMoreClustersThanSamples()
        => Assert.That(() => KMeans.Cluster(Devices.Cpu, new(3, 2), 4, 10, 1), Throws.TypeOf<UserErrorException>().With.Message.Contains("4 clusters"));

    private static double[] Mean(DescriptorMatrix samples, IEnumerable<int> rows)
        => [.. Enumerable.Range(0, samples.Dimension).Select(j => rows.Average(i => (double)samples.Row(i)[j]))];
}
