using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>QL with implicit shifts (Wilkinson's) on a small symmetric tridiagonal matrix (Golub and Van Loan, Matrix Computations, 8.3). About 3 n³ FLOPs.</summary>
internal static class ImplicitQl
{
    // An off-diagonal number below this share of its neighbours is zero: fp64's spacing at 1.
    private const double Epsilon = 2.220446049250313e-16;

    /// <param name="d">The diagonal; then the eigenvalues, in no order.</param>
    /// <param name="e">Beside it, n − 1 numbers and one more; destroyed.</param>
    /// <param name="z">Rows [n][n] that the rotations turn: of the identity come the eigenvectors.</param>
    public static void Solve(double[] d, double[] e, double[] z, int n)
    {
        for (int l = 0; l < n; l++)
            for (int round = 0; ; round++)
            {
                int m = l;
                for (; m < n - 1; m++)
                    if (Math.Abs(e[m]) <= Epsilon * (Math.Abs(d[m]) + Math.Abs(d[m + 1])))
                        break;
                if (m == l)
                    break;
                if (round == 200)
                    throw new InvalidOperationException("The QL iteration does not converge.");
                Sweep(d, e, z, n, l, m);
            }
    }

    /// <summary>One implicit QL step between rows l and m, chasing the bulge upwards.</summary>
    private static void Sweep(double[] d, double[] e, double[] z, int n, int l, int m)
    {
        double g = (d[l + 1] - d[l]) / (2 * e[l]);
        double r = double.Hypot(g, 1);
        g = d[m] - d[l] + e[l] / (g + (g >= 0 ? r : -r));
        double s = 1, c = 1, p = 0;
        for (int i = m - 1; i >= l; i--)
        {
            double f = s * e[i], b = c * e[i];
            r = double.Hypot(f, g);
            e[i + 1] = r;
            if (r == 0)
            {
                // The bulge vanished: the matrix splits here.
                d[i + 1] -= p;
                e[m] = 0;
                return;
            }
            s = f / r;
            c = g / r;
            g = d[i + 1] - p;
            r = (d[i] - g) * s + 2 * c * b;
            p = s * r;
            d[i + 1] = g + p;
            g = c * r - b;
            Rotate(z.AsSpan(i * n, n), z.AsSpan((i + 1) * n, n), c, s);
        }
        d[l] -= p;
        e[l] = g;
        e[m] = 0;
    }

    /// <summary>(a, b) ← (c·a − s·b, s·a + c·b)</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rotate(Span<double> a, Span<double> b, double c, double s)
    {
        var x = MemoryMarshal.Cast<double, Vector512<double>>(a);
        var y = MemoryMarshal.Cast<double, Vector512<double>>(b);
        for (int i = 0; i < x.Length; i++)
        {
            var upper = x[i];
            var lower = y[i];
            x[i] = c * upper - s * lower;
            y[i] = s * upper + c * lower;
        }
        for (int i = x.Length * 8; i < a.Length; i++)
        {
            double upper = a[i], lower = b[i];
            a[i] = c * upper - s * lower;
            b[i] = s * upper + c * lower;
        }
    }
}
