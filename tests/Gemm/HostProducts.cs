using System.Numerics;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.GemmTests;

/// <summary>Products against plain sums in fp64, with sizes that fill no tile, block or piece of k.</summary>
[TestFixture(typeof(float), 1e-7)]
[TestFixture(typeof(double), 1e-15)]
public sealed unsafe class HostProducts<T>(double spacing)
    where T : unmanaged, INumber<T>
{
    [Test]
    public void Add_IsThePlainSum([Values(1, 131)] int m, [Values(17, 300)] int n, [Values(1, 257, 2100)] int k, [Values] bool aAlongK, [Values] bool bAlongK)
    {
        var random = new Random(m + n + k);
        T[] a = Values(random, m * k), b = Values(random, k * n);
        // A row of c is longer than n: what stands behind must stay.
        int stride = n + 3;
        var c = Values(random, m * stride);
        double[] expected = [.. c.Select(double.CreateChecked)];
        for (int i = 0; i < m; i++)
            for (int j = 0; j < n; j++)
                for (int l = 0; l < k; l++)
                    expected[i * stride + j] += double.CreateChecked(a[aAlongK ? i * k + l : l * m + i]) * double.CreateChecked(b[bAlongK ? j * k + l : l * n + j]);
        using var product = new HostProduct<T>(Devices.Cpu);
        fixed (T* x = a, y = b, z = c)
            product.Add(m, n, k, new(x, aAlongK ? k : m, aAlongK), new(y, bAlongK ? k : n, bAlongK), z, stride);
        for (int i = 0; i < c.Length; i++)
            Assert.That(double.CreateChecked(c[i]), Is.EqualTo(expected[i]).Within(spacing * Math.Max(k, 4)), $"number {i}");
    }

    [TestCase(1)]
    [TestCase(29)]
    [TestCase(301)]
    public void Add_UpperTriangle_HoldsAllOfIt(int n)
    {
        const int k = 40;
        T[] a = Values(new Random(n), n * k), c = new T[n * n];
        using var product = new HostProduct<T>(Devices.Cpu);
        fixed (T* x = a, z = c)
            product.Add(n, n, k, new(x, k, alongK: true), new(x, k, alongK: true), z, n, upper: true);
        for (int i = 0; i < n; i++)
            for (int j = i; j < n; j++)
            {
                double sum = 0;
                for (int l = 0; l < k; l++)
                    sum += double.CreateChecked(a[i * k + l]) * double.CreateChecked(a[j * k + l]);
                Assert.That(double.CreateChecked(c[i * n + j]), Is.EqualTo(sum).Within(100 * spacing));
            }
    }

    private static T[] Values(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => T.CreateChecked(random.NextDouble() * 2 - 1))];
}
