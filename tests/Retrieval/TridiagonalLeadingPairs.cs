using IlgpuNetVlad.Engine.Retrieval;

namespace IlgpuNetVlad.Tests.Retrieval;

/// <summary>Bisection and inverse iteration on the matrices that are hard for divide and conquer.</summary>
[TestFixture]
public sealed class TridiagonalLeadingPairs
{
    /// <summary>T v = λ v with orthonormal v, relative to the largest number of T; or no answer where more values lie together than are taken apart.</summary>
    [TestCaseSource(typeof(TridiagonalEigenPairs), nameof(TridiagonalEigenPairs.Matrices))]
    public void VectorsSolve_OrSayThatTheyDoNot(double[] diagonal, double[] side)
    {
        int n = diagonal.Length;
        side = [.. side];
        side[^1] = 0;
        double scale = Math.Max(diagonal.Max(Math.Abs), side.Max(Math.Abs));
        var expected = new TridiagonalEigen(Devices.Cpu, [.. diagonal], [.. side], default).Solve(0).Values;
        foreach (int count in new[] { 1, n / 3, n })
        {
            var pairs = new TridiagonalPairs(diagonal, side, default);
            double[] values = pairs.Values(count);
            for (int i = 0; i < count; i++)
                Assert.That(values[i] / scale, Is.EqualTo(expected[i] / scale).Within(5e-15), $"value {i}");
            Assert.That(values, Is.Ordered.Descending);
            int most = MostTogether(values, scale);
            var vectors = pairs.Vectors(values);
            Assert.That(vectors is null, Is.EqualTo(most > 64), $"{most} values together");
            if (vectors is null)
                continue;
            for (int i = 0; i < count; i++)
            {
                var v = vectors.AsSpan(i * n, n);
                double square = 0;
                for (int r = 0; r < n; r++)
                {
                    double left = (diagonal[r] - values[i]) / scale * v[r];
                    if (r > 0)
                        left += side[r - 1] / scale * v[r - 1];
                    if (r + 1 < n)
                        left += side[r] / scale * v[r + 1];
                    square += left * left;
                }
                Assert.That(Math.Sqrt(square), Is.LessThan(1e-12), $"residual {i}");
                // Neighbours 1e-7 apart, of the largest number, are orthogonal to 1e-16 / 1e-7, some times over.
                for (int j = 0; j <= i; j++)
                    Assert.That(SymmetricEigen.Dot(v, vectors.AsSpan(j * n, n)), Is.EqualTo(i == j ? 1 : 0).Within(2e-8), $"vectors {i} and {j}");
            }
        }
    }

    /// <summary>One eigenvalue 20 times, in squares without any coupling: vectors come from the whole space that they span.</summary>
    [Test]
    public void Vectors_OfOneValueManyTimes_AreOrthogonal()
    {
        const int n = 60;
        double[] diagonal = [.. Enumerable.Range(0, n).Select(i => i % 3 == 2 ? 0.5 : 2.0)], side = [.. Enumerable.Range(0, n).Select(i => i % 3 == 0 ? 1.0 : 0)];
        var pairs = new TridiagonalPairs(diagonal, side, default);
        double[] values = pairs.Values(20);
        Assert.That(values, Has.All.EqualTo(3).Within(1e-14));
        var vectors = pairs.Vectors(values)!;
        for (int i = 0; i < 20; i++)
            for (int j = 0; j <= i; j++)
                Assert.That(SymmetricEigen.Dot(vectors.AsSpan(i * n, n), vectors.AsSpan(j * n, n)), Is.EqualTo(i == j ? 1 : 0).Within(1e-13), $"vectors {i} and {j}");
    }

    private static int MostTogether(double[] values, double scale)
    {
        int most = 1;
        for (int i = 1, members = 1; i < values.Length; i++)
        {
            members = values[i - 1] - values[i] < 1e-7 * scale ? members + 1 : 1;
            most = Math.Max(most, members);
        }
        return most;
    }
}
