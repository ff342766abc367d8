using IlgpuNetVlad.Engine.Retrieval;

namespace IlgpuNetVlad.Tests.Retrieval;

/// <summary>Divide and conquer on tridiagonal matrices that are hard for it: clusters, couplings that are zero or nearly so, and scales far from 1.</summary>
[TestFixture]
public sealed class TridiagonalEigenPairs
{
    public static IEnumerable<TestCaseData> Matrices()
    {
        var random = new Random(4);
        double[] Noise(int n) => [.. Enumerable.Range(0, n).Select(_ => random.NextDouble() - 0.5)];
        yield return new TestCaseData(Noise(150), Noise(150)).SetArgDisplayNames("random");
        yield return new TestCaseData(Noise(700), Noise(700)).SetArgDisplayNames("random, 700");
        yield return new TestCaseData(Noise(120), new double[120]).SetArgDisplayNames("diagonal");
        yield return new TestCaseData(new double[130], Fill(130, 1)).SetArgDisplayNames("zero diagonal");
        yield return new TestCaseData(Fill(200, 2), Fill(200, -1)).SetArgDisplayNames("second differences");
        yield return new TestCaseData(Fill(200, 1), Fill(200, 1e-9)).SetArgDisplayNames("nearly the identity");
        yield return new TestCaseData(Noise(140).Select(x => 1e-30 * x).ToArray(), Noise(140).Select(x => 1e-30 * x).ToArray()).SetArgDisplayNames("tiny");
        yield return new TestCaseData(Noise(140).Select(x => 1e30 * x).ToArray(), Noise(140).Select(x => 1e30 * x).ToArray()).SetArgDisplayNames("huge");
        // Wilkinson's matrix: pairs of eigenvalues that agree to fp64's end; several glued with weak couplings make whole clusters.
        double[] wilkinson = [.. Enumerable.Range(0, 21).Select(i => (double)Math.Abs(i - 10))];
        double[] glued = [.. wilkinson, .. wilkinson, .. wilkinson, .. wilkinson, .. wilkinson], weak = [.. Enumerable.Range(0, 105).Select(i => i % 21 == 20 ? 1e-8 : 1.0)];
        yield return new TestCaseData(glued, weak).SetArgDisplayNames("glued Wilkinson");
        // Falls over twelve orders, as the variance of descriptors may.
        double[] falling = [.. Enumerable.Range(0, 160).Select(i => Math.Pow(10, -i / 13.0))];
        yield return new TestCaseData(falling, falling.Select(x => 0.3 * x).ToArray()).SetArgDisplayNames("falling");
    }

    /// <summary>T = Σ λ v vᵀ with orthonormal v, relative to the largest number of T: a few units of fp64 times √n.</summary>
    [TestCaseSource(nameof(Matrices))]
    public void Solve_GivesTheMatrixBack(double[] diagonal, double[] side)
    {
        int n = diagonal.Length;
        double scale = Math.Max(diagonal.Max(Math.Abs), side.Max(Math.Abs));
        var (values, vectors) = Solve(diagonal, side, n);
        Assert.That(values, Is.Ordered.Descending);
        for (int i = 0; i < n; i++)
            for (int j = 0; j <= i; j++)
            {
                double sum = 0, product = 0;
                for (int k = 0; k < n; k++)
                {
                    sum += values[k] / scale * vectors[k * n + i] * vectors[k * n + j];
                    product += vectors[i * n + k] * vectors[j * n + k];
                }
                double expected = i == j ? diagonal[i] : i == j + 1 ? side[j] : 0;
                Assert.That(sum, Is.EqualTo(expected / scale).Within(5e-14), $"({i}, {j})");
                Assert.That(product, Is.EqualTo(i == j ? 1 : 0).Within(5e-14), $"vectors {i} and {j}");
            }
    }

    [TestCaseSource(nameof(Matrices))]
    public void Solve_SomeVectors_AreTheFirstOfAll(double[] diagonal, double[] side)
    {
        int n = diagonal.Length;
        var all = Solve(diagonal, side, n);
        foreach (int count in new[] { 0, 1, n / 3 })
        {
            var some = Solve(diagonal, side, count);
            Assert.That(some.Values, Is.EqualTo(all.Values));
            Assert.That(some.Vectors, Is.EqualTo(all.Vectors[..(count * n)]));
        }
    }

    private static (double[] Values, double[] Vectors) Solve(double[] diagonal, double[] side, int vectors)
    {
        double[] beside = [.. side];
        beside[^1] = 0;
        return new TridiagonalEigen(Devices.Cpu, [.. diagonal], beside, default).Solve(vectors);
    }

    private static double[] Fill(int count, double value) => [.. Enumerable.Repeat(value, count)];
}
