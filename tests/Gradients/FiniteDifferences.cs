namespace IlgpuNetVlad.Tests.Gradients;

/// <summary>
/// Central differences in fp64: for a random direction dy of the output, d(dy·f)/dx_i ≈ (f(x + h e_i) − f(x − h e_i))·dy / 2h with h = 1e-5, whose error is about
/// h²·f‴/6 + u·|f|/h ≈ 1e-10 + 2e-11 of the values here; the bound leaves a factor for sums and curvature.
/// </summary>
internal static class FiniteDifferences
{
    private const double Step = 1e-5, Bound = 1e-7;

    /// <summary>Checks a gradient with respect to <paramref name="x"/>, which is restored.</summary>
    /// <param name="value">dy·f at the present values.</param>
    public static void Check(string name, double[] x, double[] gradient, Func<double> value)
    {
        double difference = 0, norm = 0;
        for (int i = 0; i < x.Length; i++)
        {
            double kept = x[i];
            x[i] = kept + Step;
            double above = value();
            x[i] = kept - Step;
            double below = value();
            x[i] = kept;
            double expected = (above - below) / (2 * Step);
            difference += (expected - gradient[i]) * (expected - gradient[i]);
            norm += expected * expected;
        }
        Assert.That(norm, Is.GreaterThan(0), $"{name}: the test needs a gradient that is not zero");
        Assert.That(Math.Sqrt(difference / norm), Is.LessThan(Bound), name);
    }

    public static double[] Random(int count, int seed, double scale = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (random.NextDouble() * 2 - 1) * scale)];
    }

    /// <summary>Different values at least 0.01 apart, so that a step changes no maximum and no sign.</summary>
    public static double[] Distinct(int count, int seed)
    {
        var values = Enumerable.Range(0, count).Select(i => (i - count / 2 + 0.5) * 0.01).ToArray();
        new Random(seed).Shuffle(values);
        return values;
    }

    public static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();
}
