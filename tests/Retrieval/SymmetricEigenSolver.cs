using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Retrieval;

namespace IlgpuNetVlad.Tests.Retrieval;

[TestFixture]
public sealed class SymmetricEigenSolver
{
    // 33 and 65 are a joint more than a leaf, 130 two panels of reflections, 300 two groups, 100 and on above the size from which it works in parallel.
    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    [TestCase(5)]
    [TestCase(17)]
    [TestCase(33)]
    [TestCase(65)]
    [TestCase(100)]
    [TestCase(130)]
    [TestCase(300)]
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
        var (values, vectors) = SymmetricEigen.Decompose(Devices.Cpu, (double[])diagonal.Clone(), 4, 4);
        Assert.That(values, Is.EqualTo(new[] { 4.0, 2, 1, -3 }));
        Assert.That(vectors[..4], Is.EqualTo(new[] { 0.0, 0, 1, 0 }));
        Assert.That(SymmetricEigen.Decompose(Devices.Cpu, new double[25], 5, 5).Values, Is.EqualTo(new double[5]));
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
        var values = SymmetricEigen.Decompose(Devices.Cpu, matrix, n, 0).Values;
        for (int k = 0; k < n; k++)
            Assert.That(values[k], Is.EqualTo(2 - 2 * Math.Cos((n - k) * Math.PI / (n + 1))).Within(1e-13));
    }

    [Test]
    public void Decompose_TheSameBits_WithAnyNumberOfThreads()
    {
        const int n = 330;
        (double[] Values, double[] Vectors) Run(int threads)
        {
            using var device = Kernels.Device.Cpu(threads);
            return SymmetricEigen.Decompose(device, Random(n, 3), n, 20);
        }
        var first = Run(1);
        foreach (int threads in new[] { 2, 3 })
        {
            var second = Run(threads);
            Assert.That(second.Values, Is.EqualTo(first.Values));
            Assert.That(second.Vectors, Is.EqualTo(first.Vectors));
        }
    }

    [Test]
    public void Decompose_BesideAnotherKindOfDevice_IsTheSame()
        => Assert.That(SymmetricEigen.Decompose(Devices.Simulation, Random(40, 3), 40, 5).Vectors, Is.EqualTo(SymmetricEigen.Decompose(Devices.Cpu, Random(40, 3), 40, 5).Vectors));

    [Test]
    public void Decompose_RefusesNaN()
        => Assert.That(() => SymmetricEigen.Decompose(Devices.Cpu, [1, double.NaN, double.NaN, 1], 2, 1), Throws.TypeOf<UserErrorException>().With.Message.Contains("NaN"));

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
        var (values, vectors) = SymmetricEigen.Decompose(Devices.Cpu, (double[])matrix.Clone(), n, n);
        double scale = values.Max(Math.Abs);
        Assert.That(values, Is.Ordered.Descending);
        for (int i = 0; i < n; i++)
            for (int j = 0; j <= i; j++)
            {
                double sum = 0, product = 0;
                for (int k = 0; k < n; k++)
                {
                    sum += values[k] * vectors[k * n + i] * vectors[k * n + j];
                    product += vectors[i * n + k] * vectors[j * n + k];
                }
                Assert.That(sum, Is.EqualTo(matrix[i * n + j]).Within(tolerance * scale));
                Assert.That(product, Is.EqualTo(i == j ? 1 : 0).Within(tolerance));
            }
    }
}
