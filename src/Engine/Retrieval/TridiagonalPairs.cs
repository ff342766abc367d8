using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using IlgpuNetVlad.Engine.Training;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>
/// The largest eigenvalues of a symmetric tridiagonal matrix by bisection, and their vectors by inverse iteration (Golub and Van Loan, Matrix Computations, 8.4 and 7.6), eight at a time, one
/// a lane:
/// <code>
/// q_i = d_i − x − e_{i−1}²/q_{i−1}: as many are negative as eigenvalues lie below x      (T − λ) v_new = v / ‖v‖, thrice, by elimination with row exchanges
/// </code>
/// Some 54 + 12 divisions for each number of a vector, where <see cref="TridiagonalEigen"/> takes products of 4/3 n³ FLOPs. Vectors whose eigenvalues lie <c>Near</c> each other are made
/// orthogonal among themselves; those of others are by 1e-16 over the distance. Who asks for pairs that lie in large clusters, as divide and conquer can solve, gets none.
/// </summary>
internal sealed class TridiagonalPairs
{
    /// <summary>Of the largest number of T, against 1: fp64's spacing there.</summary>
    private const double Epsilon = 2.220446049250313e-16;

    /// <summary>What stands for a pivot of zero; its reciprocal does not overflow.</summary>
    private const double Tiny = 1e-300;

    /// <summary>Neighbours so near are of one cluster, which may have so many members.</summary>
    private const double Near = 1e-7;

    private const int MostNear = 64;

    /// <summary>The most that ‖T v − λ v‖ may be, and the least that may be left of a vector of length 1 beside those before it.</summary>
    private const double MostResidual = 1e-12, LeastLeft = 1e-3;

    private const int Lanes = 8, Iterations = 3;

    private readonly double[] diagonal, side, squares;
    private readonly double scale;
    private readonly int n;
    private readonly CancellationToken token;

    /// <param name="diagonal">n numbers, and…</param>
    /// <param name="side">…those beside them, and a zero; neither is changed.</param>
    public TridiagonalPairs(double[] diagonal, double[] side, CancellationToken token)
    {
        n = diagonal.Length;
        this.token = token;
        // What is negligible is told against 1.
        scale = Math.Max(diagonal.Max(Math.Abs), side.Max(Math.Abs));
        if (scale == 0)
            scale = 1;
        this.diagonal = Array.ConvertAll(diagonal, x => x / scale);
        this.side = Array.ConvertAll(side, x => x / scale);
        squares = Array.ConvertAll(this.side, x => x * x);
    }

    /// <summary>The <paramref name="count"/> largest eigenvalues, largest first.</summary>
    public double[] Values(int count)
    {
        var values = new double[count];
        Parallel.For(0, (count + 2 * Lanes - 1) / (2 * Lanes), group =>
        {
            token.ThrowIfCancellationRequested();
            Span<double> found = stackalloc double[2 * Lanes];
            Bisect(group * 2 * Lanes, found);
            for (int i = 0; i < found.Length && group * 2 * Lanes + i < count; i++)
                values[group * 2 * Lanes + i] = scale * found[i];
        });
        // Two that agree to the last digits may have come in either order.
        values.AsSpan().Sort((x, y) => y.CompareTo(x));
        return values;
    }

    /// <summary>Sixteen eigenvalues from the one on that has <paramref name="first"/> above it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Bisect(int first, Span<double> to)
    {
        // Gershgorin: all lie within 3 of 0.
        Vector512<double> low0 = Vector512.Create(-3.0), high0 = Vector512.Create(3.0), low1 = low0, high1 = high0;
        // Eigenvalues below the one that is looked for.
        var below0 = Vector512.Create(n - 1.0 - first) - Vector512.Create(0.0, 1, 2, 3, 4, 5, 6, 7);
        var below1 = below0 - Vector512.Create((double)Lanes);
        Vector512<double> one = Vector512<double>.One, tiny = Vector512.Create(Tiny), half = Vector512.Create(0.5);
        // Each step halves 6.
        for (int step = 0; step < 55; step++)
        {
            Vector512<double> x0 = (low0 + high0) * half, x1 = (low1 + high1) * half, q0 = one, q1 = one, count0 = default, count1 = default;
            double square = 0;
            for (int i = 0; i < n; i++)
            {
                Vector512<double> d = Vector512.Create(diagonal[i]), e = Vector512.Create(square);
                q0 = d - x0 - e / q0;
                q1 = d - x1 - e / q1;
                q0 = Vector512.ConditionalSelect(Vector512.LessThan(Vector512.Abs(q0), tiny), -tiny, q0);
                q1 = Vector512.ConditionalSelect(Vector512.LessThan(Vector512.Abs(q1), tiny), -tiny, q1);
                count0 += Vector512.ConditionalSelect(Vector512.LessThan(q0, default), one, default);
                count1 += Vector512.ConditionalSelect(Vector512.LessThan(q1, default), one, default);
                square = squares[i];
            }
            var above0 = Vector512.LessThanOrEqual(count0, below0);
            var above1 = Vector512.LessThanOrEqual(count1, below1);
            (low0, high0) = (Vector512.ConditionalSelect(above0, x0, low0), Vector512.ConditionalSelect(above0, high0, x0));
            (low1, high1) = (Vector512.ConditionalSelect(above1, x1, low1), Vector512.ConditionalSelect(above1, high1, x1));
        }
        ((low0 + high0) * half).CopyTo(to);
        ((low1 + high1) * half).CopyTo(to[Lanes..]);
    }

    /// <summary>The vectors of eigenvalues as <see cref="Values"/> gives them, as rows [count][n] of length 1; null where they lie in clusters that this way does not take apart.</summary>
    public double[]? Vectors(double[] values)
    {
        int count = values.Length;
        for (int i = 0, members = 1; i + 1 < count; i++)
        {
            members = IsNear(values, i + 1) ? members + 1 : 1;
            if (members > MostNear)
                return null;
        }
        var rows = new double[(long)count * n];
        bool found = true;
        Parallel.For(0, (count + Lanes - 1) / Lanes, () => new Elimination(n), (group, _, scratch) =>
        {
            token.ThrowIfCancellationRequested();
            if (!Iterate(values, group * Lanes, scratch, rows))
                Volatile.Write(ref found, false);
            return scratch;
        }, _ => { });
        return found && Part(values, rows) ? rows : null;
    }

    /// <summary>Whether value i belongs to the cluster of the one before it.</summary>
    private bool IsNear(double[] values, int i) => values[i - 1] - values[i] < Near * scale;

    /// <summary>T − λ = P L U of eight λ, and a vector of each.</summary>
    private sealed class Elimination(int n)
    {
        /// <summary>1/U_ii, U_{i,i+1}, U_{i,i+2}; L's factors, and whether rows were exchanged.</summary>
        public readonly Vector512<double>[] Pivots = new Vector512<double>[n], First = new Vector512<double>[n], Second = new Vector512<double>[n], Factors = new Vector512<double>[n], Exchanged = new Vector512<double>[n];

        public readonly Vector512<double>[] Vector = new Vector512<double>[n + 2];
    }

    private bool Iterate(double[] values, int first, Elimination scratch, double[] rows)
    {
        int count = Math.Min(Lanes, values.Length - first);
        Span<double> lanes = stackalloc double[Lanes];
        for (int i = 0; i < Lanes; i++)
            lanes[i] = values[first + Math.Min(i, count - 1)] / scale;
        var shifts = Vector512.Create<double>(lanes);
        Factor(scratch, shifts);
        var random = new SeededGenerator((ulong)first + 1);
        for (int i = 0; i < n; i++)
        {
            for (int lane = 0; lane < Lanes; lane++)
                lanes[lane] = random.NextDouble() - 0.5;
            scratch.Vector[i] = Vector512.Create<double>(lanes);
        }
        for (int i = 0; i < Iterations; i++)
            Solve(scratch);
        var residual = Residual(scratch.Vector, shifts);
        if (!Vector512.LessThanOrEqualAll(residual, Vector512.Create(MostResidual * MostResidual)))
            return false;
        for (int lane = 0; lane < count; lane++)
        {
            var to = rows.AsSpan((first + lane) * n, n);
            for (int i = 0; i < n; i++)
                to[i] = scratch.Vector[i][lane];
        }
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Factor(Elimination to, Vector512<double> shift)
    {
        Vector512<double> least = Vector512.Create(Epsilon), a = Vector512.Create(diagonal[0]) - shift, b = Vector512.Create(side[0]);
        for (int i = 0; i < n; i++)
        {
            // The next row, of which nothing is left to eliminate behind the last.
            bool last = i == n - 1;
            var below = Vector512.Create(side[i]);
            var d = last ? default : Vector512.Create(diagonal[i + 1]) - shift;
            var beside = last ? default : Vector512.Create(side[i + 1]);
            var exchange = Vector512.LessThan(Vector512.Abs(a), Vector512.Abs(below));
            var pivot = Vector512.ConditionalSelect(exchange, below, a);
            pivot = Vector512.ConditionalSelect(Vector512.LessThan(Vector512.Abs(pivot), least), least, pivot);
            var factor = Vector512.ConditionalSelect(exchange, a, below) / pivot;
            to.Pivots[i] = Vector512<double>.One / pivot;
            to.First[i] = Vector512.ConditionalSelect(exchange, d, b);
            to.Second[i] = Vector512.ConditionalSelect(exchange, beside, default);
            to.Factors[i] = factor;
            to.Exchanged[i] = exchange;
            (a, b) = (Vector512.ConditionalSelect(exchange, b, d) - factor * to.First[i], Vector512.ConditionalSelect(exchange, -factor * beside, beside));
        }
    }

    /// <summary>v ← (T − λ)⁻¹ v, of length 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Solve(Elimination with)
    {
        var v = with.Vector;
        var x = v[0];
        for (int i = 0; i + 1 < n; i++)
        {
            var exchange = with.Exchanged[i];
            Vector512<double> next = v[i + 1], upper = Vector512.ConditionalSelect(exchange, next, x);
            x = Vector512.ConditionalSelect(exchange, x, next) - with.Factors[i] * upper;
            v[i] = upper;
        }
        v[n - 1] = x;
        Vector512<double> first = default, second = default, square = default;
        for (int i = n - 1; i >= 0; i--)
        {
            var y = (v[i] - with.First[i] * first - with.Second[i] * second) * with.Pivots[i];
            square += y * y;
            v[i] = y;
            (first, second) = (y, first);
        }
        var scaled = Vector512<double>.One / Vector512.Sqrt(square);
        for (int i = 0; i < n; i++)
            v[i] *= scaled;
    }

    /// <summary>‖T v − λ v‖²</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private Vector512<double> Residual(Vector512<double>[] v, Vector512<double> shift)
    {
        Vector512<double> sum = default, before = default;
        for (int i = 0; i < n; i++)
        {
            var left = (Vector512.Create(diagonal[i]) - shift) * v[i] + before;
            if (i + 1 < n)
                left += Vector512.Create(side[i]) * v[i + 1];
            before = Vector512.Create(side[i]) * v[i];
            sum += left * left;
        }
        return sum;
    }

    /// <summary>Gram and Schmidt, twice a vector, within clusters. False where vectors of one depend on each other.</summary>
    private bool Part(double[] values, double[] rows)
    {
        int start = 0;
        for (int i = 1; i < values.Length; i++)
        {
            if (!IsNear(values, i))
            {
                start = i;
                continue;
            }
            var own = rows.AsSpan(i * n, n);
            double before = 1;
            for (int pass = 0; pass < 2; pass++)
            {
                for (int j = start; j < i; j++)
                {
                    var other = rows.AsSpan(j * n, n);
                    SymmetricEigen.Add(own, other, -SymmetricEigen.Dot(own, other));
                }
                double left = Math.Sqrt(SymmetricEigen.Dot(own, own));
                if (left < LeastLeft * before)
                    return false;
                for (int j = 0; j < n; j++)
                    own[j] /= left;
            }
        }
        return true;
    }
}
