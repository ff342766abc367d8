using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Retrieval;

namespace IlgpuNetVlad.Tests.Retrieval;

/// <summary>The solver that keeps the matrix in fp32 against sums in fp64, with spectra as descriptors have them, falling, and such as they have not.</summary>
[TestFixture]
public sealed class SingleEigenPairs
{
    /// <summary>
    /// fp32's spacing at 1 is 1.2e-7. A number of a vector has been rounded once for each group of 256 reflections, each time by less than that of its size: lengths and angles are off by some
    /// of it, whatever n.
    /// </summary>
    private const double Angle = 2e-6;

    // 17 is a square of the diagonal and one more, 64 and 65 a panel, 257 and 300 two groups of reflections, 700 more than a row's chunk.
    [TestCase(1, 1)]
    [TestCase(2, 2)]
    [TestCase(3, 1)]
    [TestCase(16, 16)]
    [TestCase(17, 17)]
    [TestCase(64, 30)]
    [TestCase(65, 65)]
    [TestCase(257, 100)]
    [TestCase(300, 300)]
    [TestCase(700, 90)]
    public void Find_GivesTheLeadingPairs(int n, int count)
    {
        float[] matrix = Gram(n, 2 * n, j => 1 / Math.Sqrt(1 + j / 4.0), seed: n + count);
        var (values, vectors) = Find(matrix, n, count)!.Value;
        // Roundings of numbers of the mean size of the matrix's, far below those at the first value.
        CheckPairs(matrix, n, values, vectors, value: 1e-7);
        CheckWhitened(matrix, n, values, vectors, 2e-5);
    }

    /// <summary>Components of a thousandth to a hundred-thousandth of the first's variance still come out uncorrelated and of their variance.</summary>
    [Test]
    public void Find_WeakComponents_CanBeWhitened()
    {
        const int n = 400, count = 150;
        float[] matrix = Gram(n, 2 * n, j => Math.Exp(-j / 29.0), seed: 8);
        var (values, vectors) = Find(matrix, n, count)!.Value;
        Assert.That(values[^1] / values[0], Is.InRange(SingleEigen.Weakest, 3e-5), "the spectrum that this test is about");
        CheckPairs(matrix, n, values, vectors, value: 1e-7);
        // Off by 1e-8 of the first value, so at 1e-5 of it by 1e-3 at the most.
        CheckWhitened(matrix, n, values, vectors, 1e-3);
    }

    /// <summary>Too weak for fp32: left to the complete way.</summary>
    [Test]
    public void Find_TooWeakOrWithoutVariance_IsLeftToFp64()
    {
        const int n = 200;
        float[] falling = Gram(n, 2 * n, j => Math.Exp(-j / 10.0), seed: 8), low = Gram(n, 12, _ => 1, seed: 3);
        Assert.That(Find(falling, n, 20), Is.Not.Null);
        Assert.That(Find(falling, n, 150), Is.Null);
        Assert.That(Find(low, n, 12), Is.Not.Null);
        Assert.That(Find(low, n, 13), Is.Null);
        Assert.That(Find(new float[n * n], n, 1), Is.Null);
    }

    /// <summary>Descriptors without anything in common, centred: one value n − 1 times. And two values, many times each.</summary>
    [Test]
    public void Find_RepeatedValues()
    {
        const int n = 150;
        var centring = new float[n * n];
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++)
                centring[i * n + j] = (i == j ? 1 : 0) - 1f / n;
        var (values, vectors) = Find(centring, n, n - 1)!.Value;
        Assert.That(values, Has.All.EqualTo(1).Within(1e-6));
        CheckPairs(centring, n, values, vectors, value: 1e-6);

        // I + 2 P, P a projection on 40 dimensions by Householder's reflection of a diagonal matrix.
        var random = new Random(2);
        double[] v = [.. Enumerable.Range(0, n).Select(_ => random.NextDouble() - 0.5)];
        double square = v.Sum(x => x * x);
        var two = new float[n * n];
        for (int i = 0; i < n; i++)
            for (int j = 0; j <= i; j++)
            {
                double sum = 0;
                for (int k = 0; k < n; k++)
                    sum += (k < 40 ? 3 : 1) * ((i == k ? 1 : 0) - 2 * v[i] * v[k] / square) * ((j == k ? 1 : 0) - 2 * v[j] * v[k] / square);
                two[i * n + j] = two[j * n + i] = (float)sum;
            }
        (values, vectors) = Find(two, n, 100)!.Value;
        Assert.That(values[..40], Has.All.EqualTo(3).Within(2e-6));
        Assert.That(values[40..], Has.All.EqualTo(1).Within(2e-6));
        CheckPairs(two, n, values, vectors, value: 1e-6);
    }

    [Test]
    public void Find_DiagonalMatrix_ItsUnitVectors()
    {
        var diagonal = new float[16];
        (diagonal[0], diagonal[5], diagonal[10], diagonal[15]) = (1, 3, 4, 2);
        var (values, vectors) = Find(diagonal, 4, 2)!.Value;
        Assert.That(values, Is.EqualTo(new[] { 4.0, 3 }).Within(1e-14));
        Assert.That(vectors, Is.EqualTo(new[] { 0f, 0, 1, 0, 0, 1, 0, 0 }).Within(1e-14));
    }

    [Test]
    public void Find_TheSameBits_WithAnyNumberOfThreads_AndBesideAnotherKindOfDevice()
    {
        const int n = 330;
        float[] matrix = Gram(n, 400, j => 1 / Math.Sqrt(1 + j), seed: 9);
        (double[] Values, float[] Vectors) Run(Kernels.Device device)
        {
            using var buffer = device.Allocate(matrix);
            var found = SingleEigen.Find(device, buffer, n, 40)!.Value;
            Assert.That(device.Download(buffer.View), Is.EqualTo(matrix), "the matrix stays");
            return found;
        }
        using Kernels.Device one = Kernels.Device.Cpu(1), three = Kernels.Device.Cpu(3);
        var first = Run(one);
        foreach (var device in new[] { three, Devices.Simulation })
        {
            var second = Run(device);
            Assert.That(second.Values, Is.EqualTo(first.Values));
            Assert.That(second.Vectors, Is.EqualTo(first.Vectors));
        }
    }

    [Test]
    public void Find_NaN_IsOneSentence()
    {
        float[] matrix = Gram(30, 40, _ => 1, seed: 1);
        matrix[35] = float.NaN;
        Assert.That(() => Find(matrix, 30, 3), Throws.TypeOf<UserErrorException>().With.Message.Contains("NaN"));
    }

    private static (double[] Values, float[] Vectors)? Find(float[] matrix, int n, int count)
    {
        using var device = Devices.Cpu.Allocate(matrix);
        return SingleEigen.Find(Devices.Cpu, device, n, count);
    }

    /// <summary>Values as fp64 finds them, ‖A v − λ v‖, lengths and angles; the first two as shares of the first value.</summary>
    private static void CheckPairs(float[] matrix, int n, double[] values, float[] vectors, double value)
    {
        var expected = SymmetricEigen.Decompose(Devices.Cpu, [.. matrix.Select(x => (double)x)], n, 0).Values;
        int count = values.Length;
        Assert.That(values, Is.Ordered.Descending);
        for (int i = 0; i < count; i++)
        {
            Assert.That(values[i], Is.EqualTo(expected[i]).Within(value * expected[0]), $"value {i}");
            var v = vectors.AsSpan(i * n, n);
            double square = 0;
            for (int r = 0; r < n; r++)
            {
                double product = 0;
                for (int c = 0; c < n; c++)
                    product += (double)matrix[r * n + c] * v[c];
                square += (product - values[i] * v[r]) * (product - values[i] * v[r]);
            }
            Assert.That(Math.Sqrt(square), Is.LessThanOrEqualTo(Angle * expected[0]), $"residual {i}");
            for (int j = 0; j <= i; j++)
                Assert.That(Dot(v, vectors.AsSpan(j * n, n)), Is.EqualTo(i == j ? 1 : 0).Within(Angle), $"vectors {i} and {j}");
        }
    }

    /// <summary>Vᵀ A V over the deviations is the identity.</summary>
    private static void CheckWhitened(float[] matrix, int n, double[] values, float[] vectors, double tolerance)
    {
        int count = values.Length;
        for (int i = 0; i < count; i++)
        {
            var v = vectors.AsSpan(i * n, n);
            var product = new double[n];
            for (int r = 0; r < n; r++)
                for (int c = 0; c < n; c++)
                    product[r] += (double)matrix[r * n + c] * v[c];
            for (int j = 0; j <= i; j++)
            {
                double sum = 0;
                for (int r = 0; r < n; r++)
                    sum += product[r] * vectors[j * n + r];
                Assert.That(sum / Math.Sqrt(values[i] * values[j]), Is.EqualTo(i == j ? 1 : 0).Within(tolerance), $"components {i} and {j}");
            }
        }
    }

    private static double Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
            sum += (double)a[i] * b[i];
        return sum;
    }

    /// <summary>X Xᵀ of rows whose column j has the deviation <paramref name="fall"/> says.</summary>
    private static float[] Gram(int n, int columns, Func<int, double> fall, int seed)
    {
        var random = new Random(seed);
        var rows = new double[n][];
        for (int i = 0; i < n; i++)
            rows[i] = [.. Enumerable.Range(0, columns).Select(j => (random.NextDouble() - 0.5) * fall(j))];
        var gram = new float[n * n];
        Parallel.For(0, n, i =>
        {
            for (int k = 0; k < n; k++)
                gram[i * n + k] = (float)SymmetricEigen.Dot(rows[i], rows[k]);
        });
        return gram;
    }
}
