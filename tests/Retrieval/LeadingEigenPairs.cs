using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Retrieval;

namespace IlgpuNetVlad.Tests.Retrieval;

/// <summary>Subspace iteration against the complete solver in fp64, with spectra as descriptors have them, falling, and such as they have not.</summary>
[TestFixture]
public sealed class LeadingEigenPairs
{
    // 350 and 500 vectors are more than a panel, and more than the number from which a round goes without its Ritz problem.
    [TestCase(40, 1)]
    [TestCase(40, 40)]
    [TestCase(300, 20)]
    [TestCase(420, 350)]
    [TestCase(700, 500)]
    public void Find_GivesTheLeadingPairs(int n, int count)
    {
        float[] matrix = Gram(n, 2 * n, seed: n + count);
        using var device = Devices.Cpu.Allocate(matrix);
        var (values, vectors) = LeadingEigen.Find(Devices.Cpu, device, n, count)!.Value;
        var expected = SymmetricEigen.Decompose(Devices.Cpu, [.. matrix.Select(x => (double)x)], n, 0).Values;
        for (int i = 0; i < count; i++)
        {
            // An eigenvalue is off by the square of the residual over the gap, and by the rounding of fp32 sums.
            Assert.That(values[i], Is.EqualTo(expected[i]).Within(2e-6 * expected[0]), $"value {i}");
            var v = vectors.AsSpan(i * n, n);
            double square = 0, length = 0;
            for (int r = 0; r < n; r++)
            {
                double product = 0;
                for (int c = 0; c < n; c++)
                    product += (double)matrix[r * n + c] * v[c];
                square += (product - values[i] * v[r]) * (product - values[i] * v[r]);
                length += (double)v[r] * v[r];
            }
            Assert.That(Math.Sqrt(square), Is.LessThanOrEqualTo(1.2e-5 * expected[0]), $"residual {i}");
            Assert.That(length, Is.EqualTo(1).Within(1e-5));
        }
    }

    [Test]
    public void Find_LowRank_LeavesTheRestWithoutVariance()
    {
        const int n = 200, rank = 12;
        using var device = Devices.Cpu.Allocate(Gram(n, rank, seed: 3));
        var values = LeadingEigen.Find(Devices.Cpu, device, n, 30)!.Value.Values;
        Assert.That(values[rank - 1], Is.GreaterThan(1e-4 * values[0]));
        Assert.That(values[rank..], Has.All.EqualTo(0).Within(1e-6 * values[0]));
    }

    [Test]
    public void Find_TheSameBits_WithAnyNumberOfThreads()
    {
        float[] matrix = Gram(260, 300, seed: 9);
        float[] Run(int threads)
        {
            using var device = Kernels.Device.Cpu(threads);
            using var buffer = device.Allocate(matrix);
            return LeadingEigen.Find(device, buffer, 260, 140)!.Value.Vectors;
        }
        Assert.That(Run(1), Is.EqualTo(Run(3)).AsCollection);
    }

    [Test]
    public void Find_NaN_IsOneSentence()
    {
        float[] matrix = Gram(30, 40, seed: 1);
        matrix[35] = float.NaN;
        using var device = Devices.Cpu.Allocate(matrix);
        Assert.That(() => LeadingEigen.Find(Devices.Cpu, device, 30, 3), Throws.TypeOf<UserErrorException>().With.Message.Contains("NaN"));
    }

    /// <summary>X Xᵀ of rows whose variance falls from column to column.</summary>
    private static float[] Gram(int n, int columns, int seed)
    {
        var random = new Random(seed);
        var x = new double[n, columns];
        for (int i = 0; i < n; i++)
            for (int j = 0; j < columns; j++)
                x[i, j] = (random.NextDouble() - 0.5) / Math.Sqrt(1 + j);
        var gram = new float[n * n];
        for (int i = 0; i < n; i++)
            for (int k = 0; k <= i; k++)
            {
                double sum = 0;
                for (int j = 0; j < columns; j++)
                    sum += x[i, j] * x[k, j];
                gram[i * n + k] = gram[k * n + i] = (float)sum;
            }
        return gram;
    }
}
