using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>
/// Eigenvalues and leading eigenvectors of a real symmetric matrix in fp64: Householder reflections to tridiagonal form, implicit QL
/// with Wilkinson's shift on that, reflections applied back to the wanted vectors (Golub and Van Loan, Matrix Computations, 8.3).
/// About 4/3 n³ FLOPs for the first part, 3 n³ for the second where all rotations are applied, 2 n² a vector for the third.
/// Every sum has one owner and a fixed order: the bits do not depend on the number of threads.
/// </summary>
public static class SymmetricEigen
{
    // Below this a parallel loop costs more than it shares out.
    private const int ParallelFrom = 96;

    // An off-diagonal number below this share of its neighbours is zero: fp64's spacing at 1.
    private const double Epsilon = 2.220446049250313e-16;

    // Columns of the vector matrix that one task rotates: 64 doubles are eight cache lines of each of two rows.
    private const int RotationColumns = 64;

    /// <param name="matrix">[n, n], both triangles; destroyed.</param>
    /// <param name="vectors">How many eigenvectors, 0 … n.</param>
    /// <returns>All n values, largest first, and the vectors of the first ones, each of unit length with its largest component positive.</returns>
    /// <exception cref="UserErrorException">The matrix holds NaN or infinity.</exception>
    public static (double[] Values, double[][] Vectors) Decompose(double[] matrix, int n, int vectors, CancellationToken token = default)
    {
        if (matrix.LongLength != (long)n * n)
            throw new ArgumentException($"A matrix of {n} × {n} cannot have {matrix.LongLength} numbers.");
        ArgumentOutOfRangeException.ThrowIfGreaterThan(vectors, n);
        foreach (double x in matrix)
            if (!double.IsFinite(x))
                throw new UserErrorException("The descriptors hold NaN or infinity, so they have no principal components: check the weights that made them.");
        var diagonal = new double[n];
        var side = new double[n];
        var factors = Tridiagonalise(matrix, n, diagonal, side, token);
        var rotated = new double[(long)n * n];
        for (int i = 0; i < n; i++)
            rotated[(long)i * n + i] = 1;
        ImplicitQl(diagonal, side, rotated, n, token);
        int[] order = [.. Enumerable.Range(0, n).OrderByDescending(i => diagonal[i]).ThenBy(i => i)];
        var result = new double[vectors][];
        For(vectors, n, v =>
        {
            var z = rotated.AsSpan(order[v] * n, n).ToArray();
            for (int k = n - 3; k >= 0; k--)
            {
                var reflector = matrix.AsSpan(k * n + k + 1, n - k - 1);
                var tail = z.AsSpan(k + 1);
                Add(tail, reflector, -factors[k] * Dot(reflector, tail));
            }
            Orient(z);
            result[v] = z;
        });
        return ([.. order.Select(i => diagonal[i])], result);
    }

    /// <summary>
    /// A ← HᵀAH for n − 2 reflections H = I − β v vᵀ. The update A −= v wᵀ + w vᵀ of one step and the product A·v' of the next share one pass over
    /// the remaining rows, since that pass is bound by memory. Reflector k stays in row k right of the diagonal.
    /// </summary>
    /// <returns>β of each reflector.</returns>
    private static double[] Tridiagonalise(double[] a, int n, double[] diagonal, double[] side, CancellationToken token)
    {
        var beta = new double[n];
        double[] v = new double[n], w = new double[n], nextV = new double[n], product = new double[n];
        for (int k = 0; k < n; k++)
        {
            token.ThrowIfCancellationRequested();
            int first = k + 1, size = n - first;
            var row = a.AsSpan(k * n, n);
            if (k > 0)
                RankTwo(row[k..], v.AsSpan(k), w.AsSpan(k), v[k], w[k]);
            diagonal[k] = row[k];
            if (size == 0)
                break;
            var x = row[first..];
            double norm = Math.Sqrt(Dot(x[1..], x[1..]));
            if (size == 1 || norm == 0)
            {
                // Already tridiagonal here; the pending update must still reach the rows below.
                side[k] = x[0];
                x.Clear();
                beta[k] = 0;
            }
            else
            {
                double length = Math.Sqrt(x[0] * x[0] + norm * norm);
                side[k] = x[0] > 0 ? -length : length;
                x[0] -= side[k];
                beta[k] = 2 / (x[0] * x[0] + norm * norm);
            }
            x.CopyTo(nextV.AsSpan(first));
            bool pending = k > 0;
            For(size, size, i =>
            {
                int r = first + i;
                var target = a.AsSpan(checked(r * n) + first, size);
                if (pending)
                    RankTwo(target, v.AsSpan(first, size), w.AsSpan(first, size), v[r], w[r]);
                product[r] = Dot(target, nextV.AsSpan(first, size));
            });
            double b = beta[k];
            var p = product.AsSpan(first, size);
            double half = b * b / 2 * Dot(p, nextV.AsSpan(first, size));
            for (int i = 0; i < size; i++)
            {
                v[first + i] = nextV[first + i];
                w[first + i] = b * p[i] - half * nextV[first + i];
            }
        }
        return beta;
    }

    /// <summary>
    /// QL with implicit shifts on the tridiagonal matrix; its rotations are gathered a sweep at a time and applied to the rows of
    /// <paramref name="z"/> [vector, component] by tasks that own columns.
    /// </summary>
    private static void ImplicitQl(double[] d, double[] e, double[] z, int n, CancellationToken token)
    {
        var cosines = new double[n];
        var sines = new double[n];
        for (int l = 0; l < n; l++)
        {
            for (int round = 0; ; round++)
            {
                token.ThrowIfCancellationRequested();
                int m = l;
                for (; m < n - 1; m++)
                    if (Math.Abs(e[m]) <= Epsilon * (Math.Abs(d[m]) + Math.Abs(d[m + 1])))
                        break;
                if (m == l)
                    break;
                if (round == 200)
                    throw new InvalidOperationException("The QL iteration does not converge.");
                Sweep(d, e, l, m, cosines, sines);
                int low = l, high = m;
                For((n + RotationColumns - 1) / RotationColumns, n, block =>
                {
                    int column = block * RotationColumns, width = Math.Min(RotationColumns, n - column);
                    for (int i = high - 1; i >= low; i--)
                        Rotate(z.AsSpan(i * n + column, width), z.AsSpan((i + 1) * n + column, width), cosines[i], sines[i]);
                });
            }
        }
    }

    /// <summary>One implicit QL step between rows l and m, chasing the bulge upwards; rotation i acts on rows i and i + 1.</summary>
    private static void Sweep(double[] d, double[] e, int l, int m, double[] cosines, double[] sines)
    {
        double g = (d[l + 1] - d[l]) / (2 * e[l]);
        double r = Hypotenuse(g, 1);
        g = d[m] - d[l] + e[l] / (g + (g >= 0 ? r : -r));
        double s = 1, c = 1, p = 0;
        for (int i = m - 1; i >= l; i--)
        {
            double f = s * e[i], b = c * e[i];
            r = Hypotenuse(f, g);
            e[i + 1] = r;
            if (r == 0)
            {
                // The bulge vanished: the matrix splits here. The rotations not done are identities.
                d[i + 1] -= p;
                e[m] = 0;
                for (int j = i; j >= l; j--)
                    (cosines[j], sines[j]) = (1, 0);
                return;
            }
            s = f / r;
            c = g / r;
            g = d[i + 1] - p;
            r = (d[i] - g) * s + 2 * c * b;
            p = s * r;
            d[i + 1] = g + p;
            g = c * r - b;
            (cosines[i], sines[i]) = (c, s);
        }
        d[l] -= p;
        e[l] = g;
        e[m] = 0;
    }

    private static double Hypotenuse(double a, double b)
    {
        double large = Math.Max(Math.Abs(a), Math.Abs(b)), small = Math.Min(Math.Abs(a), Math.Abs(b));
        return large == 0 ? 0 : large * Math.Sqrt(1 + small / large * (small / large));
    }

    private static void Orient(Span<double> z)
    {
        double largest = 0;
        foreach (double x in z)
            if (Math.Abs(x) > Math.Abs(largest))
                largest = x;
        double scale = (largest < 0 ? -1 : 1) / Math.Sqrt(Dot(z, z));
        foreach (ref double x in z)
            x *= scale;
    }

    private static void For(int count, int size, Action<int> body)
    {
        if (size < ParallelFrom)
            for (int i = 0; i < count; i++)
                body(i);
        else
            Parallel.For(0, count, body);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        // Eight lanes on every machine; the hardware's width only decides how many instructions they take.
        var x = MemoryMarshal.Cast<double, Vector512<double>>(a);
        var y = MemoryMarshal.Cast<double, Vector512<double>>(b);
        var sum = Vector512<double>.Zero;
        for (int i = 0; i < x.Length; i++)
            sum += x[i] * y[i];
        double total = Vector512.Sum(sum);
        for (int i = x.Length * 8; i < a.Length; i++)
            total += a[i] * b[i];
        return total;
    }

    /// <summary>a += scale·b</summary>
    internal static void Add(Span<double> a, ReadOnlySpan<double> b, double scale)
    {
        var x = MemoryMarshal.Cast<double, Vector512<double>>(a);
        var y = MemoryMarshal.Cast<double, Vector512<double>>(b);
        for (int i = 0; i < x.Length; i++)
            x[i] += scale * y[i];
        for (int i = x.Length * 8; i < a.Length; i++)
            a[i] += scale * b[i];
    }

    /// <summary>a −= vi·w + wi·v</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RankTwo(Span<double> a, ReadOnlySpan<double> v, ReadOnlySpan<double> w, double vi, double wi)
    {
        var x = MemoryMarshal.Cast<double, Vector512<double>>(a);
        var y = MemoryMarshal.Cast<double, Vector512<double>>(v);
        var z = MemoryMarshal.Cast<double, Vector512<double>>(w);
        for (int i = 0; i < x.Length; i++)
            x[i] -= vi * z[i] + wi * y[i];
        for (int i = x.Length * 8; i < a.Length; i++)
            a[i] -= vi * w[i] + wi * v[i];
    }

    /// <summary>(a, b) ← (c·a − s·b, s·a + c·b)</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rotate(Span<double> a, Span<double> b, double c, double s)
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
