using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Retrieval;

namespace IlgpuNetVlad.Tests.Retrieval;

[TestFixture]
public sealed class SymmetricEigenSolver
{
    // 100 and 173 are above the size from which it works in parallel.
    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    [TestCase(5)]
    [TestCase(17)]
    [TestCase(64)]
    [TestCase(100)]
    [TestCase(173)]
    public void Decompose_GivesTheMatrixBack(int n)
    {
        var matrix = Random(n, seed: n);
        CheckReconstruction(matrix, n, 2e-13);
    }

    [Test]
    public void Decompose_RepeatedAndZeroEigenvalues()
    {
        const int n = 40;
        // Rank 3 with a double eigenvalue: projections on random directions.
        var random = new Random(5);
        var matrix = new double[n * n];
        foreach (double weight in new[] { 7.0, 7.0, 2.0 })
        {
            var v = Enumerable.Range(0, n).Select(_ => random.NextDouble() - 0.5).ToArray();
            for (int i = 0; i < n; i++)
                for (int j = 0; j < n; j++)
                    matrix[i * n + j] += weight * v[i] * v[j];
        }
        CheckReconstruction(matrix, n, 1e-12);
    }

    [Test]
    public void Decompose_DiagonalAndZeroMatrices()
    {
        var diagonal = new double[16];
        (diagonal[0], diagonal[5], diagonal[10], diagonal[15]) = (1, -3, 4, 2);
        var (values, vectors) = SymmetricEigen.Decompose((double[])diagonal.Clone(), 4, 4);
        Assert.That(values, Is.EqualTo(new[] { 4.0, 2, 1, -3 }));
        Assert.That(vectors[0], Is.EqualTo(new[] { 0.0, 0, 1, 0 }));
        Assert.That(SymmetricEigen.Decompose(new double[25], 5, 5).Values, Is.EqualTo(new double[5]));
    }

    /// <summary>The second difference matrix has the eigenvalues 2 − 2 cos(kπ/(n+1)).</summary>
    [Test]
    public void Decompose_KnownSpectrum()
    {
        const int n = 120;
        var matrix = new double[n * n];
        for (int i = 0; i < n; i++)
        {
            matrix[i * n + i] = 2;
            if (i > 0)
                matrix[i * n + i - 1] = matrix[(i - 1) * n + i] = -1;
        }
        var values = SymmetricEigen.Decompose(matrix, n, 0).Values;
        for (int k = 0; k < n; k++)
            Assert.That(values[k], Is.EqualTo(2 - 2 * Math.Cos((n - k) * Math.PI / (n + 1))).Within(1e-13));
    }

    [Test]
    public void Decompose_Repeats()
    {
        var first = SymmetricEigen.Decompose(Random(150, 3), 150, 20);
        var second = SymmetricEigen.Decompose(Random(150, 3), 150, 20);
        Assert.That(second.Values, Is.EqualTo(first.Values));
        Assert.That(second.Vectors, Is.EqualTo(first.Vectors));
    }

    [Test]
    public void Decompose_RefusesNaN()
        => Assert.That(() => SymmetricEigen.Decompose([1, double.NaN, double.NaN, 1], 2, 1), Throws.TypeOf<UserErrorException>().With.Message.Contains("NaN"));

    private static double[] Random(int n, int seed)
    {
        var random = new Random(seed);
        var matrix = new double[n * n];
        for (int i = 0; i < n; i++)
            for (int j = 0; j <= i; j++)
                matrix[i * n + j] = matrix[j * n + i] = random.NextDouble() * 2 - 1;
        return matrix;
    }

    /// <summary>A = Σ λ v vᵀ with orthonormal v and descending λ; errors relative to the largest |λ|, a few units of fp64 times √n.</summary>
    private static void CheckReconstruction(double[] matrix, int n, double tolerance)
    {
        var (values, vectors) = SymmetricEigen.Decompose((double[])matrix.Clone(), n, n);
        double scale = values.Max(Math.Abs);
        Assert.That(values, Is.Ordered.Descending);
        for (int i = 0; i < n; i++)
            for (int j = 0; j <= i; j++)
            {
                double sum = 0, product = 0;
                for (int k = 0; k < n; k++)
                {
                    sum += values[k] * vectors[k][i] * vectors[k][j];
                    product += vectors[i][k] * vectors[j][k];
                }
                Assert.That(sum, Is.EqualTo(matrix[i * n + j]).Within(tolerance * scale));
                Assert.That(product, Is.EqualTo(i == j ? 1 : 0).Within(tolerance));
            }
    }
}
