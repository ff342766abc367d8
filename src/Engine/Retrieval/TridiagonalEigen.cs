using System.Buffers;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>
/// Eigenpairs of a symmetric tridiagonal matrix by divide and conquer (Cuppen 1981; Gu and Eisenstat, SIAM J. Matrix Anal. Appl. 16, 1995): cut in two by taking the coupling β out of both
/// diagonals, each half solved so, and the pair joined:
/// <code>
/// T = Q (D + ρ z zᵀ) Qᵀ      Q = diag(Q₁, Q₂), D both halves' eigenvalues, z their vectors' ends at the cut
/// </code>
/// An entry of z that is nearly zero, or two nearly equal numbers of D, leave a pair as it is (deflation); the others are those of <see cref="SecularEquation"/>, whose vectors times Q are
/// the matrix's: n³ FLOPs at most for the last joint, in products, and 4/3 n³ for all; the last one makes only the vectors that are asked for. Leaves are solved by implicit QL.
/// Every sum has one owner and a fixed order.
/// </summary>
/// <param name="device">Of kind Cpu.</param>
/// <param name="diagonal">n numbers, destroyed, as are…</param>
/// <param name="side">…those beside them, and one more.</param>
internal sealed unsafe class TridiagonalEigen(Device device, double[] diagonal, double[] side, CancellationToken token)
{
    private const double Epsilon = 1.1102230246251565e-16;

    /// <summary>Sizes up to which QL solves, and up to which halves are solved beside each other instead of each by all threads.</summary>
    private const int Leaf = 32, Together = 512;

    /// <summary>All eigenvalues and as many eigenvectors, of the largest.</summary>
    /// <returns>Values, largest first; vectors as rows [vectors][n].</returns>
    public (double[] Values, double[] Vectors) Solve(int vectors)
    {
        // What is negligible is told against 1.
        int n = diagonal.Length;
        double scale = Math.Max(diagonal.Max(Math.Abs), side.Max(Math.Abs));
        if (scale == 0)
            scale = 1;
        for (int i = 0; i < n; i++)
            (diagonal[i], side[i]) = (diagonal[i] / scale, side[i] / scale);
        var all = Solve(0, n, vectors);
        var values = new double[n];
        var rows = new double[(long)vectors * n];
        for (int i = 0; i < n; i++)
            values[i] = scale * all.Values[all.Order[n - 1 - i]];
        SymmetricEigen.For(vectors, n, i => all.Vectors.AsSpan(all.Places[all.Order[n - 1 - i]] * n, n).CopyTo(rows.AsSpan(i * n, n)));
        return (values, rows);
    }

    /// <param name="Values">Not in order.</param>
    /// <param name="Order">Which value is the first, second… ascending.</param>
    /// <param name="Places">The row of each value's vector; −1 where it is not wanted.</param>
    private sealed record Part(double[] Values, int[] Order, int[] Places, double[] Vectors);

    private Part Solve(int first, int n, int vectors)
    {
        token.ThrowIfCancellationRequested();
        if (n <= Leaf)
            return Ql(first, n);
        int half = n / 2;
        double beta = side[first + half - 1], rho = Math.Abs(beta);
        diagonal[first + half - 1] -= rho;
        diagonal[first + half] -= rho;
        Part left = null!, right = null!;
        if (n <= Together)
            Parallel.Invoke(() => left = Solve(first, half, half), () => right = Solve(first + half, n - half, n - half));
        else
            (left, right) = (Solve(first, half, half), Solve(first + half, n - half, n - half));
        return new Joint(device, left, right, half, n - half, beta).Join(vectors, token);
    }

    private Part Ql(int first, int n)
    {
        double[] values = diagonal[first..(first + n)], between = side[first..(first + n)];
        between[n - 1] = 0;
        var vectors = new double[n * n];
        for (int i = 0; i < n; i++)
            vectors[i * n + i] = 1;
        ImplicitQl.Solve(values, between, vectors, n);
        int[] all = [.. Enumerable.Range(0, n)];
        return new(values, Ascending(values), all, vectors);
    }

    private static int[] Ascending(double[] values) => [.. Enumerable.Range(0, values.Length).OrderBy(i => values[i]).ThenBy(i => i)];

    /// <summary>Joins two halves.</summary>
    private sealed class Joint
    {
        private readonly Device device;
        private readonly int top, bottom, n;
        private readonly double rho;
        private readonly double[] d, z;

        /// <summary>Of each pair what its vector is in the first half and in the second; null is zero.</summary>
        private readonly Row?[] above, below;

        private readonly int[] order;

        private readonly record struct Row(double[] Values, int Start);

        public Joint(Device device, Part left, Part right, int top, int bottom, double beta)
        {
            this.device = device;
            (this.top, this.bottom, n) = (top, bottom, top + bottom);
            d = [.. left.Values, .. right.Values];
            (z, above, below) = (new double[n], new Row?[n], new Row?[n]);
            for (int i = 0; i < top; i++)
            {
                above[i] = new(left.Vectors, left.Places[i] * top);
                z[i] = left.Vectors[left.Places[i] * top + top - 1];
            }
            for (int i = 0; i < bottom; i++)
            {
                below[top + i] = new(right.Vectors, right.Places[i] * bottom);
                z[top + i] = right.Vectors[right.Places[i] * bottom] * (beta < 0 ? -1 : 1);
            }
            // z has the length √2.
            rho = 2 * Math.Abs(beta);
            for (int i = 0; i < n; i++)
                z[i] *= Math.Sqrt(0.5);
            order = Ascending(d);
        }

        public Part Join(int vectors, CancellationToken token)
        {
            var kept = Deflate();
            int count = kept.Count;
            var secular = count == 0 ? null : new SecularEquation([.. kept.Select(i => d[i])], [.. kept.Select(i => z[i])], count, rho);
            token.ThrowIfCancellationRequested();
            // Pairs that were left alone stand behind the others.
            var isKept = new bool[n];
            kept.ForEach(i => isKept[i] = true);
            int[] alone = [.. Enumerable.Range(0, n).Where(i => !isKept[i])];
            var values = new double[n];
            for (int i = 0; i < count; i++)
                values[i] = secular!.Root(i);
            for (int i = 0; i < alone.Length; i++)
                values[count + i] = d[alone[i]];
            int[] ascending = Ascending(values), places = new int[n];
            Array.Fill(places, -1);
            // The largest are wanted; among the roots, which ascend, they are the last.
            var wanted = ascending[(n - vectors)..];
            int firstRoot = wanted.Where(i => i < count).DefaultIfEmpty(count).Min();
            for (int i = firstRoot; i < count; i++)
                places[i] = i - firstRoot;
            int row = count - firstRoot;
            foreach (int i in wanted.Where(i => i >= count))
                places[i] = row++;
            var rows = new double[(long)vectors * n];
            if (firstRoot < count)
                Multiply(secular!, kept, firstRoot, rows);
            for (int i = count; i < n; i++)
                if (places[i] >= 0)
                {
                    Copy(above[alone[i - count]], rows.AsSpan(places[i] * n, top));
                    Copy(below[alone[i - count]], rows.AsSpan(places[i] * n + top, bottom));
                }
            return new(values, ascending, places, rows);
        }

        private static void Copy(Row? from, Span<double> to)
        {
            if (from is { } row)
                row.Values.AsSpan(row.Start, to.Length).CopyTo(to);
        }

        /// <summary>
        /// Which pairs change, by ascending d. Where two numbers are so near that a rotation makes one of their z zero without a trace in the matrix, it does, and turns their vectors.
        /// </summary>
        private List<int> Deflate()
        {
            double largest = Math.Max(d.Max(Math.Abs), z.Max(Math.Abs)), tolerance = 8 * Epsilon * largest;
            var kept = new List<int>(n);
            int before = -1;
            foreach (int i in order)
            {
                if (rho * Math.Abs(z[i]) <= tolerance)
                    continue;
                if (before >= 0)
                {
                    double length = double.Hypot(z[before], z[i]), c = z[i] / length, s = z[before] / length;
                    if (Math.Abs((d[i] - d[before]) * c * s) <= tolerance)
                    {
                        z[i] = length;
                        z[before] = 0;
                        (d[before], d[i]) = (d[before] * c * c + d[i] * s * s, d[before] * s * s + d[i] * c * c);
                        Rotate(above, before, i, c, s, top);
                        Rotate(below, before, i, c, s, bottom);
                    }
                    else
                        kept.Add(before);
                }
                before = i;
            }
            if (before >= 0)
                kept.Add(before);
            return kept;
        }

        /// <summary>(x, y) ← (c·x − s·y, s·x + c·y) for a part of two vectors.</summary>
        private static void Rotate(Row?[] rows, int first, int second, double c, double s, int length)
        {
            if (rows[first] is null && rows[second] is null)
                return;
            rows[first] ??= new(new double[length], 0);
            rows[second] ??= new(new double[length], 0);
            Span<double> x = rows[first]!.Value.Values.AsSpan(rows[first]!.Value.Start, length), y = rows[second]!.Value.Values.AsSpan(rows[second]!.Value.Start, length);
            ImplicitQl.Rotate(x, y, c, s);
        }

        /// <summary>The roots' vectors from <paramref name="firstRoot"/> on, times Q: one product for each half, over those pairs that are not zero there.</summary>
        private void Multiply(SecularEquation secular, List<int> kept, int firstRoot, double[] rows)
        {
            int count = kept.Count, wanted = count - firstRoot;
            int[] first = [.. Enumerable.Range(0, count).Where(j => above[kept[j]] is not null)], second = [.. Enumerable.Range(0, count).Where(j => below[kept[j]] is not null)];
            double[] forFirst = new double[(long)wanted * first.Length], forSecond = new double[(long)wanted * second.Length];
            SymmetricEigen.For(wanted, n, i =>
            {
                var vector = ArrayPool<double>.Shared.Rent(count);
                secular.Vector(firstRoot + i, vector);
                Gather(vector, first, forFirst.AsSpan(i * first.Length, first.Length));
                Gather(vector, second, forSecond.AsSpan(i * second.Length, second.Length));
                ArrayPool<double>.Shared.Return(vector);
            });
            using var product = new HostProduct<double>(device);
            fixed (double* to = rows)
            {
                Multiply(product, forFirst, first, kept, above, top, wanted, to);
                Multiply(product, forSecond, second, kept, below, bottom, wanted, to + top);
            }
        }

        private static void Gather(double[] from, int[] places, Span<double> to)
        {
            for (int j = 0; j < to.Length; j++)
                to[j] = from[places[j]];
        }

        private void Multiply(HostProduct<double> product, double[] factors, int[] used, List<int> kept, Row?[] vectors, int length, int wanted, double* to)
        {
            var q = new double[(long)used.Length * length];
            SymmetricEigen.For(used.Length, length, j => Copy(vectors[kept[used[j]]], q.AsSpan(j * length, length)));
            fixed (double* s = factors, from = q)
                product.Add(wanted, length, used.Length, new(s, used.Length, alongK: true), new(from, length, alongK: false), to, n);
        }
    }
}
