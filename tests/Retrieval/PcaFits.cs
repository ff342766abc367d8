using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Retrieval;

namespace IlgpuNetVlad.Tests.Retrieval;

[TestFixture]
public sealed class PcaFits
{
    /// <summary>Rows of falling variance in random directions.</summary>
    private static DescriptorMatrix Rows(int n, int d, int seed = 1)
    {
        var random = new Random(seed);
        var rows = new DescriptorMatrix(n, d);
        for (int i = 0; i < n; i++)
            for (int j = 0; j < d; j++)
                rows.Row(i)[j] = (random.NextSingle() - 0.5f) / (1 + j) + 0.1f;
        return rows;
    }

    /// <summary>More rows than numbers takes the covariance, fewer the Gram matrix: both must say the same of the same data.</summary>
    [Test]
    public void Fit_BothFormsAgree()
    {
        var wide = Rows(30, 40);
        // Rows repeated twice have the same axes; variances only differ by (n − 1).
        var tall = new DescriptorMatrix(60, 40, [.. wide.Values, .. wide.Values]);
        var dual = PrincipalComponents.Fit(Devices.Cpu, wide, 5, whiten: false);
        var direct = PrincipalComponents.Fit(Devices.Cpu, tall, 5, whiten: false);
        for (int i = 0; i < 5; i++)
        {
            Assert.That(direct.Eigenvalues[i], Is.EqualTo(dual.Eigenvalues[i] * 2 * 29 / 59).Within(1e-6));
            double product = Enumerable.Range(0, 40).Sum(j => (double)direct.Weight[i * 40 + j] * dual.Weight[i * 40 + j]);
            Assert.That(Math.Abs(product), Is.EqualTo(1).Within(1e-4));
        }
    }

    [Test]
    public void Whitened_ComponentsHaveUnitVariance()
    {
        var rows = Rows(500, 12);
        var pca = PrincipalComponents.Fit(Devices.Cpu, rows, 6);
        for (int i = 0; i < 6; i++)
        {
            var values = Enumerable.Range(0, 500).Select(r => pca.Bias[i] + Enumerable.Range(0, 12).Sum(j => (double)pca.Weight[i * 12 + j] * rows.Row(r)[j])).ToArray();
            Assert.That(values.Average(), Is.EqualTo(0).Within(1e-4));
            Assert.That(values.Sum(v => v * v) / 499, Is.EqualTo(1).Within(1e-3));
        }
    }

    /// <summary>From 2000 numbers on the matrix is kept in fp32: as many components as are asked for, of variance 1, also where the last is so weak that fp64 takes over.</summary>
    [TestCase(1.0)]
    [TestCase(0.991)]
    public void Whitened_Large_ComponentsHaveUnitVariance(double fall)
    {
        const int d = 2000, n = 2100, count = 500;
        var random = new Random(7);
        float[] deviation = [.. Enumerable.Range(0, d).Select(j => (float)(Math.Pow(fall, j) / (1 + j / 100.0)))];
        var rows = new DescriptorMatrix(n, d);
        for (int i = 0; i < n; i++)
            for (int j = 0; j < d; j++)
                rows.Row(i)[j] = (random.NextSingle() - 0.5f) * deviation[j] + 0.1f;
        var pca = PrincipalComponents.Fit(Devices.Cpu, rows, count);
        double weakest = pca.Eigenvalues[^1] / pca.Eigenvalues[0];
        Assert.That(weakest, fall == 1 ? Is.GreaterThan(SingleEigen.Weakest) : Is.LessThan(SingleEigen.Weakest), "which of both ways is taken");
        foreach (int i in new[] { 0, 1, 250, count - 1 })
        {
            var values = Enumerable.Range(0, n).AsParallel().Select(r => Enumerable.Range(0, d).Sum(j => (double)pca.Weight[i * d + j] * rows.Row(r)[j]) + pca.Bias[i]).ToArray();
            // The covariance's fp32 sums are off by up to half a spacing, 6e-8, of the first variance, whichever way its eigenvectors come.
            Assert.That(values.Sum(v => v * v) / (n - 1), Is.EqualTo(1).Within(1e-3 + 6e-8 * pca.Eigenvalues[0] / pca.Eigenvalues[i]), $"component {i}");
        }
    }

    [Test]
    public void Cut_EqualsCuttingAfterwards()
    {
        var rows = Rows(40, 10);
        var pca = PrincipalComponents.Fit(Devices.Cpu, rows, 8);
        var before = pca.Cut(3).Apply(Devices.Cpu, rows);
        var after = pca.Apply(Devices.Cpu, rows).Cut(3);
        for (int i = 0; i < before.Values.Length; i++)
            Assert.That(after.Values[i], Is.EqualTo(before.Values[i]).Within(1e-5));
        Assert.That(Enumerable.Range(0, 3).Sum(j => after.Row(7)[j] * after.Row(7)[j]), Is.EqualTo(1).Within(1e-5));
        Assert.That(() => pca.Cut(9), Throws.TypeOf<UserErrorException>());
        Assert.That(() => rows.Cut(11), Throws.TypeOf<UserErrorException>());
    }

    [Test]
    public void Fit_RefusesMoreComponentsThanThereAre()
    {
        Assert.That(() => PrincipalComponents.Fit(Devices.Cpu, Rows(10, 20), 10), Throws.TypeOf<UserErrorException>().With.Message.Contains("at most 9"));
        Assert.That(() => PrincipalComponents.Fit(Devices.Cpu, Rows(30, 20), 21), Throws.TypeOf<UserErrorException>().With.Message.Contains("at most 20"));
        Assert.That(() => PrincipalComponents.Fit(Devices.Cpu, Rows(1, 20), 1), Throws.TypeOf<UserErrorException>());
    }

    [Test]
    public void Fit_RefusesComponentsWithoutVariance()
    {
        var rows = Rows(30, 8);
        for (int i = 0; i < 30; i++)
            rows.Row(i)[4..].Fill(0.5f);
        Assert.That(() => PrincipalComponents.Fit(Devices.Cpu, rows, 6), Throws.TypeOf<UserErrorException>().With.Message.Contains("Only 4 of 6"));
        Assert.That(() => PrincipalComponents.Fit(Devices.Cpu, new(5, 3), 1), Throws.TypeOf<UserErrorException>());
    }

    [Test]
    public void Apply_RefusesOtherDescriptors()
    {
        var pca = PrincipalComponents.Fit(Devices.Cpu, Rows(30, 8), 2);
        Assert.That(() => pca.Apply(Devices.Cpu, Rows(3, 9)), Throws.TypeOf<UserErrorException>().With.Message.Contains("8 numbers, not 9"));
    }
}
