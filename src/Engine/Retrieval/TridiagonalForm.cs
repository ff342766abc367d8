using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>
/// A symmetric matrix brought to tridiagonal form by reflections, A = Q T Qᵀ, in panels of 64 (Dongarra, Sorensen and Hammarling, J. Comput. Appl. Math. 27, 1989):
/// <code>
/// Q = H₀ H₁ …      H = I − β v vᵀ       A ← HᵀAH = A − v wᵀ − w vᵀ
/// </code>
/// Within a panel A stays as it is: row k takes the changes before it as it comes up, and A v those of v's products with them; then the panel's 128 changes are one product. Of 4/3 n³ FLOPs
/// half are in the products A v, which read the upper triangle once each: n³/6 numbers, 1.3 TB for n = 10,000, at the pace of memory. Reflector k stays in row k right of the diagonal.
/// </summary>
internal sealed unsafe class TridiagonalForm
{
    private const int Panel = 64;

    /// <summary>Reflections that are applied together to vectors: each packed number is used as often.</summary>
    private const int Group = 256;

    /// <summary>Rows of A share their part of w among the threads of A v; by n alone, so that the sums' order is.</summary>
    private const int Slices = 8;

    /// <summary>Below so many numbers threads cost more than they share out.</summary>
    private const int SharedFrom = 1 << 14;

    private readonly Device device;
    private readonly double[] matrix, factors, v, w, sums, along;
    private readonly int n;

    /// <param name="device">Of kind Cpu.</param>
    /// <param name="matrix">[n][n], both triangles; of the upper one reflectors remain.</param>
    /// <param name="progress">Is told what part of the work is done.</param>
    public TridiagonalForm(Device device, double[] matrix, int n, Action<double>? progress, CancellationToken token)
    {
        (this.device, this.matrix, this.n) = (device, matrix, n);
        (factors, Diagonal, Side) = (new double[n], new double[n], new double[n]);
        (v, w) = (new double[(long)Panel * n], new double[(long)Panel * n]);
        (sums, along) = (new double[(long)Slices * n], new double[2 * Panel]);
        using var product = new HostProduct<double>(device);
        for (int first = 0; first < n; first += Panel)
        {
            int size = Math.Min(Panel, n - first), rest = n - first - size;
            for (int j = 0; j < size; j++)
            {
                token.ThrowIfCancellationRequested();
                Reduce(first, j);
            }
            Update(product, first + size, rest, size);
            progress?.Invoke(1 - Math.Pow((double)rest / n, 3));
        }
    }

    public double[] Diagonal { get; }

    /// <summary>Beside the diagonal; the last is 0.</summary>
    public double[] Side { get; }

    /// <summary>Row k = first + j: the changes of the panel so far, its reflection, and w.</summary>
    private void Reduce(int first, int j)
    {
        int k = first + j, next = k + 1, size = n - next;
        var row = matrix.AsSpan(k * n + k, n - k);
        for (int l = 0; l < j; l++)
            RankTwo(row, v.AsSpan(l * n + k, n - k), w.AsSpan(l * n + k, n - k), v[l * n + k], w[l * n + k]);
        Diagonal[k] = row[0];
        Span<double> reflector = v.AsSpan(j * n, n), product = w.AsSpan(j * n, n);
        reflector.Clear();
        product.Clear();
        if (size == 0)
            return;
        var x = row[1..];
        double norm = Math.Sqrt(SymmetricEigen.Dot(x[1..], x[1..]));
        if (norm == 0)
        {
            // Tridiagonal already.
            Side[k] = x[0];
            x.Clear();
            return;
        }
        double length = double.Hypot(x[0], norm);
        Side[k] = x[0] > 0 ? -length : length;
        x[0] -= Side[k];
        double beta = factors[k] = 2 / (x[0] * x[0] + norm * norm);
        reflector = reflector[next..];
        product = product[next..];
        x.CopyTo(reflector);
        Multiply(j, next);
        double half = beta * beta / 2 * SymmetricEigen.Dot(product, reflector);
        for (int i = 0; i < size; i++)
            product[i] = beta * product[i] - half * reflector[i];
    }

    /// <summary>w_j = A v_j − Σ_l v_l (w_l·v_j) + w_l (v_l·v_j): A as it was before the panel, over the rows from <paramref name="first"/> on, and the panel's changes.</summary>
    private void Multiply(int j, int first)
    {
        int size = n - first;
        fixed (double* a = matrix, reflectors = v, products = w, parts = sums, dots = along)
        {
            Run(Slices, (long)size * size, new SliceTask(a, reflectors + (long)j * n, parts, first, n));
            Run(2 * j, (long)j * size, new DotTask(reflectors, products, dots, j, first, n));
            Run((size + CorrectTask.Width - 1) / CorrectTask.Width, (long)j * size, new CorrectTask(reflectors, products, parts, dots, j, first, n));
        }
    }

    private void Run<TTask>(int tiles, long numbers, TTask task)
        where TTask : struct, IHostTask
    {
        if (numbers >= SharedFrom)
            device.RunHost(tiles, task);
        else
            for (int tile = 0; tile < tiles; tile++)
                task.Run(tile, 0);
    }

    /// <summary>A v over some rows of the upper triangle, each number of which counts for its row and for its column; slices hold equally many numbers.</summary>
    private readonly struct SliceTask(double* a, double* v, double* sums, int first, int n) : IHostTask
    {
        public void Run(int tile, int worker)
        {
            int begin = Bound(tile);
            double* to = sums + (long)tile * n;
            new Span<double>(to + first, n - first).Clear();
            Slice(a, v, to, begin, Bound(tile + 1), n);
        }

        private int Bound(int slice)
        {
            int size = n - first;
            return first + (slice == Slices ? size : (int)(size * (1 - Math.Sqrt(1 - (double)slice / Slices))) / 4 * 4);
        }
    }

    /// <summary>v_l·v_j for l below j, then w_l·v_j.</summary>
    private readonly struct DotTask(double* v, double* w, double* dots, int j, int first, int n) : IHostTask
    {
        public void Run(int tile, int worker)
            => dots[tile] = SymmetricEigen.Dot(new((tile < j ? v : w) + (long)(tile % j) * n + first, n - first), new(v + (long)j * n + first, n - first));
    }

    /// <summary>The slices' sums, and the panel's changes, for some numbers of w_j.</summary>
    private readonly struct CorrectTask(double* v, double* w, double* sums, double* dots, int j, int first, int n) : IHostTask
    {
        public const int Width = 1024;

        public void Run(int tile, int worker)
        {
            int start = first + tile * Width, count = Math.Min(Width, n - start);
            var to = new Span<double>(w + (long)j * n + start, count);
            for (int slice = 0; slice < Slices; slice++)
                SymmetricEigen.Add(to, new(sums + (long)slice * n + start, count), 1);
            for (int l = 0; l < j; l++)
                RankTwo(to, new(v + (long)l * n + start, count), new(w + (long)l * n + start, count), dots[l], dots[j + l]);
        }
    }

    /// <summary>Four rows at a time, for which v and the sums are read once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Slice(double* a, double* v, double* sums, int begin, int end, int n)
    {
        int i = begin;
        for (; i + 4 <= end; i += 4)
        {
            double* r0 = a + (long)i * n, r1 = r0 + n, r2 = r1 + n, r3 = r2 + n;
            double x0 = v[i], x1 = v[i + 1], x2 = v[i + 2], x3 = v[i + 3];
            double s0 = r0[i] * x0 + r0[i + 1] * x1 + r0[i + 2] * x2 + r0[i + 3] * x3;
            double s1 = r0[i + 1] * x0 + r1[i + 1] * x1 + r1[i + 2] * x2 + r1[i + 3] * x3;
            double s2 = r0[i + 2] * x0 + r1[i + 2] * x1 + r2[i + 2] * x2 + r2[i + 3] * x3;
            double s3 = r0[i + 3] * x0 + r1[i + 3] * x1 + r2[i + 3] * x2 + r3[i + 3] * x3;
            Vector512<double> t0 = default, t1 = default, t2 = default, t3 = default;
            Vector512<double> y0 = Vector512.Create(x0), y1 = Vector512.Create(x1), y2 = Vector512.Create(x2), y3 = Vector512.Create(x3);
            int j = i + 4;
            for (; j + 8 <= n; j += 8)
            {
                Vector512<double> x = Vector512.Load(v + j), sum = Vector512.Load(sums + j);
                var m = Vector512.Load(r0 + j);
                t0 = Vector512.MultiplyAddEstimate(m, x, t0);
                sum = Vector512.MultiplyAddEstimate(m, y0, sum);
                m = Vector512.Load(r1 + j);
                t1 = Vector512.MultiplyAddEstimate(m, x, t1);
                sum = Vector512.MultiplyAddEstimate(m, y1, sum);
                m = Vector512.Load(r2 + j);
                t2 = Vector512.MultiplyAddEstimate(m, x, t2);
                sum = Vector512.MultiplyAddEstimate(m, y2, sum);
                m = Vector512.Load(r3 + j);
                t3 = Vector512.MultiplyAddEstimate(m, x, t3);
                sum = Vector512.MultiplyAddEstimate(m, y3, sum);
                sum.Store(sums + j);
            }
            for (; j < n; j++)
            {
                s0 += r0[j] * v[j];
                s1 += r1[j] * v[j];
                s2 += r2[j] * v[j];
                s3 += r3[j] * v[j];
                sums[j] += r0[j] * x0 + r1[j] * x1 + r2[j] * x2 + r3[j] * x3;
            }
            sums[i] += s0 + Vector512.Sum(t0);
            sums[i + 1] += s1 + Vector512.Sum(t1);
            sums[i + 2] += s2 + Vector512.Sum(t2);
            sums[i + 3] += s3 + Vector512.Sum(t3);
        }
        for (; i < end; i++)
        {
            double* row = a + (long)i * n;
            double x = v[i], sum = row[i] * x;
            for (int j = i + 1; j < n; j++)
            {
                sum += row[j] * v[j];
                sums[j] += row[j] * x;
            }
            sums[i] += sum;
        }
    }

    /// <summary>A −= Vᵀ W + Wᵀ V for the rows and columns from <paramref name="first"/> on, as one product of 2·size steps.</summary>
    private void Update(HostProduct<double> product, int first, int rest, int size)
    {
        if (rest == 0)
            return;
        double[] left = new double[2L * size * rest], right = new double[2L * size * rest];
        SymmetricEigen.For(size, n, l =>
        {
            ReadOnlySpan<double> x = v.AsSpan(l * n + first, rest), y = w.AsSpan(l * n + first, rest);
            Span<double> minusX = left.AsSpan(l * rest, rest), minusY = left.AsSpan((size + l) * rest, rest);
            for (int i = 0; i < rest; i++)
                (minusX[i], minusY[i]) = (-x[i], -y[i]);
            y.CopyTo(right.AsSpan(l * rest, rest));
            x.CopyTo(right.AsSpan((size + l) * rest, rest));
        });
        fixed (double* a = left, b = right, c = matrix)
            product.Add(rest, rest, 2 * size, new(a, rest, alongK: false), new(b, rest, alongK: false), c + (long)first * n + first, n, upper: true);
    }

    /// <summary>z ← Q z for rows z [count][n]; groups of reflections, last first, as I − Vᵀ T V with T upper triangular (Schreiber and Van Loan 1989): 2 n² FLOPs a vector, in products.</summary>
    public void Turn(double[] z, int count, Action<double>? progress, CancellationToken token)
    {
        using var product = new HostProduct<double>(device);
        for (int first = (n - 1) / Group * Group; first >= 0 && count > 0; first -= Group)
        {
            token.ThrowIfCancellationRequested();
            int size = Math.Min(Group, n - first), length = n - first;
            var v = new double[(long)size * length];
            for (int l = 0; l < size; l++)
                matrix.AsSpan((first + l) * n + first + l + 1, length - l - 1).CopyTo(v.AsSpan(l * length + l + 1, length - l - 1));
            double[] products = new double[size * size], along = new double[(long)count * size];
            fixed (double* reflectors = v, gram = products, rows = z, shares = along)
            {
                var steps = new ProductOperand<double>(reflectors, length, alongK: true);
                product.Add(size, size, length, steps, steps, gram, size, upper: true);
                double[] t = Triangle(products, first, size);
                product.Add(count, size, length, new(rows + first, n, alongK: true), steps, shares, size);
                var turned = new double[(long)count * size];
                fixed (double* to = turned, triangle = t)
                {
                    // Rows: (V z)ᵀ Tᵀ, with the sign in T.
                    product.Add(count, size, size, new(shares, size, alongK: true), new(triangle, size, alongK: true), to, size);
                    product.Add(count, length, size, new(to, size, alongK: true), new(reflectors, length, alongK: false), rows + first, n);
                }
            }
            progress?.Invoke(1 - Math.Pow((double)first / n, 2));
        }
    }

    /// <summary>−T of a group: T_jj = β_j, T_{0…j,j} = −β_j T_{0…j,0…j} (V v_j).</summary>
    private double[] Triangle(double[] products, int first, int size)
    {
        var t = new double[size * size];
        for (int j = 0; j < size; j++)
        {
            double beta = factors[first + j];
            t[j * size + j] = -beta;
            for (int i = 0; i < j; i++)
            {
                double sum = 0;
                for (int l = i; l < j; l++)
                    sum += t[i * size + l] * products[l * size + j];
                t[i * size + j] = -beta * sum;
            }
        }
        return t;
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
}
