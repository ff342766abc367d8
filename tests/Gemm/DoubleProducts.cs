using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.GemmTests;

/// <summary>Products in fp64 against plain sums, with sizes that fill no tile, block or piece of k.</summary>
[TestFixture]
public sealed unsafe class DoubleProducts
{
    [Test]
    public void Add_IsThePlainSum([Values(1, 131)] int m, [Values(17, 300)] int n, [Values(1, 257, 2100)] int k, [Values] bool aAlongK, [Values] bool bAlongK)
    {
        var random = new Random(m + n + k);
        double[] a = Values(random, m * k), b = Values(random, k * n);
        // A row of c is longer than n: what stands behind must stay.
        int stride = n + 3;
        double[] c = Values(random, m * stride), expected = [.. c];
        for (int i = 0; i < m; i++)
            for (int j = 0; j < n; j++)
                for (int l = 0; l < k; l++)
                    expected[i * stride + j] += a[aAlongK ? i * k + l : l * m + i] * b[bAlongK ? j * k + l : l * n + j];
        using var product = new DoubleProduct(Devices.Cpu);
        fixed (double* x = a, y = b, z = c)
            product.Add(m, n, k, new(x, aAlongK ? k : m, aAlongK), new(y, bAlongK ? k : n, bAlongK), z, stride);
        for (int i = 0; i < c.Length; i++)
            Assert.That(c[i], Is.EqualTo(expected[i]).Within(1e-15 * k), $"number {i}");
    }

    [TestCase(1)]
    [TestCase(29)]
    [TestCase(301)]
    public void Add_UpperTriangle_HoldsAllOfIt(int n)
    {
        const int k = 40;
        double[] a = Values(new Random(n), n * k), c = new double[n * n];
        using var product = new DoubleProduct(Devices.Cpu);
        fixed (double* x = a, z = c)
            product.Add(n, n, k, new(x, k, alongK: true), new(x, k, alongK: true), z, n, upper: true);
        for (int i = 0; i < n; i++)
            for (int j = i; j < n; j++)
            {
                double sum = 0;
                for (int l = 0; l < k; l++)
                    sum += a[i * k + l] * a[j * k + l];
                Assert.That(c[i * n + j], Is.EqualTo(sum).Within(1e-13));
            }
    }

    private static double[] Values(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextDouble() * 2 - 1)];
}
