using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>
/// Eigenpairs of diag(d) + ρ z zᵀ, ρ > 0, d ascending and distinct, no z zero: the roots of
/// <code>
/// f(λ) = 1 + ρ Σ_j z_j²/(d_j − λ)        d_i &lt; λ_i &lt; d_{i+1}, the last below d_n + ρ ‖z‖²
/// </code>
/// A root is kept as the distance μ from the pole that it is nearer to, so every d_j − λ_i has full relative precision. Then z is replaced by the ẑ whose roots these are exactly, from which
/// the eigenvectors ẑ_j/(d_j − λ_i) come out orthogonal to working precision, however near roots lie (Gu and Eisenstat, SIAM J. Matrix Anal. Appl. 15, 1994).
/// Some dozen divisions for each pair of a root and a pole.
/// </summary>
internal sealed class SecularEquation
{
    private const double Epsilon = 2.220446049250313e-16;

    // Bisection alone would take no more.
    private const int MostSteps = 120;

    private readonly double[] d, z;
    private readonly double rho;
    private readonly int n;
    private readonly int[] origins;
    private readonly double[] offsets, refined;

    public SecularEquation(double[] d, double[] z, int n, double rho)
    {
        (this.d, this.z, this.rho, this.n) = (d, z, rho, n);
        origins = new int[n];
        offsets = new double[n];
        refined = new double[n];
        SymmetricEigen.For(n, n, Solve);
        Refine();
    }

    /// <summary>λ_i, ascending.</summary>
    public double Root(int i) => d[origins[i]] + offsets[i];

    /// <summary>The eigenvector of λ_i, of length 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Vector(int i, Span<double> to)
    {
        double pole = d[origins[i]], offset = offsets[i];
        ReadOnlySpan<double> d0 = d.AsSpan(0, n), z0 = refined;
        to = to[..n];
        for (int j = 0; j < to.Length; j++)
            to[j] = z0[j] / (d0[j] - pole - offset);
        double scale = 1 / Math.Sqrt(SymmetricEigen.Dot(to, to));
        for (int j = 0; j < to.Length; j++)
            to[j] *= scale;
    }

    private void Solve(int i)
    {
        bool last = i == n - 1;
        double gap = last ? rho * SymmetricEigen.Dot(z.AsSpan(0, n), z.AsSpan(0, n)) : d[i + 1] - d[i];
        int origin = i;
        double low = 0, high = gap;
        if (!last)
        {
            // f grows from −∞ to ∞ between two poles: its sign in the middle says which is nearer.
            if (Evaluate(i, i, gap / 2).Value >= 0)
                high = gap / 2;
            else
                (origin, low, high) = (i + 1, -gap / 2, 0);
        }
        double mu = (low + high) / 2;
        for (int step = 0; step < MostSteps; step++)
        {
            var f = Evaluate(i, origin, mu);
            if (Math.Abs(f.Value) <= 16 * Epsilon * (1 + f.Below + f.Above))
                break;
            if (f.Value < 0)
                low = mu;
            else
                high = mu;
            double next = mu + Step(i, origin, mu, f);
            if (!(next > low && next < high))
                next = (low + high) / 2;
            if (next == mu || next == low || next == high || Math.Abs(next - mu) <= Epsilon * Math.Abs(next))
            {
                mu = next != 0 ? next : mu;
                break;
            }
            mu = next;
        }
        (origins[i], offsets[i]) = (origin, mu);
    }

    /// <summary>To the root of c + q/(d_i − λ) + s/(d_{i+1} − λ), whose first part has value and slope of the poles up to i, whose second of those beyond (Bunch, Nielsen and Sorensen 1978).</summary>
    private double Step(int i, int origin, double mu, in Sums f)
    {
        double left = d[i] - d[origin] - mu, q = f.BelowSlope * left * left;
        if (i == n - 1)
            return left + q / (1 - f.Below - f.BelowSlope * left);
        double right = d[i + 1] - d[origin] - mu, s = f.AboveSlope * right * right;
        double c = f.Value - f.BelowSlope * left - f.AboveSlope * right;
        double a = c * (left + right) + q + s, b = f.Value * left * right;
        double root = Math.Sqrt(Math.Max(0, a * a - 4 * b * c));
        return a <= 0 ? (a - root) / (2 * c) : 2 * b / (a + root);
    }

    /// <summary>f, the amounts of its negative and positive terms, and their slopes.</summary>
    private readonly record struct Sums(double Value, double Below, double BelowSlope, double Above, double AboveSlope);

    private Sums Evaluate(int i, int origin, double mu)
    {
        double pole = d[origin];
        var (below, belowSlope) = Terms(d.AsSpan(0, i + 1), z, pole, mu);
        var (above, aboveSlope) = Terms(d.AsSpan(i + 1, n - i - 1), z.AsSpan(i + 1), pole, mu);
        return new(1 + rho * (below + above), -rho * below, rho * belowSlope, rho * above, rho * aboveSlope);
    }

    /// <summary>Σ z²/δ and Σ z²/δ², δ_j = d_j − pole − μ.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static (double Value, double Slope) Terms(ReadOnlySpan<double> d, ReadOnlySpan<double> z, double pole, double mu)
    {
        var x = MemoryMarshal.Cast<double, Vector512<double>>(d);
        var y = MemoryMarshal.Cast<double, Vector512<double>>(z);
        Vector512<double> at = Vector512.Create(pole), offset = Vector512.Create(mu), values = default, slopes = default;
        for (int j = 0; j < x.Length; j++)
        {
            var term = y[j] / (x[j] - at - offset);
            values += y[j] * term;
            slopes += term * term;
        }
        double value = Vector512.Sum(values), slope = Vector512.Sum(slopes);
        for (int j = x.Length * 8; j < d.Length; j++)
        {
            double term = z[j] / (d[j] - pole - mu);
            value += z[j] * term;
            slope += term * term;
        }
        return (value, slope);
    }

    /// <summary>ẑ_j² = Π_i (λ_i − d_j) / Π_{i≠j} (d_i − d_j), each factor of one quotient near 1; ρ falls away with the vectors' length.</summary>
    private void Refine()
    {
        const int width = 64;
        SymmetricEigen.For((n + width - 1) / width, n, block =>
        {
            int first = block * width;
            var product = refined.AsSpan(first, Math.Min(width, n - first));
            product.Fill(1);
            for (int i = 0; i < n; i++)
                Multiply(product, d.AsSpan(first, product.Length), d[i], d[origins[i]], offsets[i], i - first);
            for (int j = 0; j < product.Length; j++)
                product[j] = Math.CopySign(Math.Sqrt(Math.Abs(product[j])), z[first + j]);
        });
    }

    /// <summary>product_j *= (d_j − λ)/(d_j − pole_i), for j = i without the divisor.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply(Span<double> product, ReadOnlySpan<double> d, double pole, double origin, double offset, int own)
    {
        double kept = (uint)own < (uint)product.Length ? product[own] : 0;
        var p = MemoryMarshal.Cast<double, Vector512<double>>(product);
        var x = MemoryMarshal.Cast<double, Vector512<double>>(d);
        Vector512<double> divisor = Vector512.Create(pole), at = Vector512.Create(origin), mu = Vector512.Create(offset);
        for (int j = 0; j < p.Length; j++)
            p[j] *= (x[j] - at - mu) / (x[j] - divisor);
        for (int j = p.Length * 8; j < product.Length; j++)
            product[j] *= (d[j] - origin - offset) / (d[j] - pole);
        if ((uint)own < (uint)product.Length)
            product[own] = kept * (d[own] - origin - offset);
    }
}
