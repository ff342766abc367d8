using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>
/// <see cref="TridiagonalForm"/> of a matrix that is kept in fp32: half the bytes for the products A v, which bound it (n³/6 numbers, 0.7 TB for n = 10,000), and products of twice the pace.
/// <code>
/// Q = H₀ H₁ …      H = I − β v vᵀ, ‖v‖ = 1      A ← HᵀAH = A + v uᵀ + u vᵀ
/// </code>
/// A reflector is rounded to fp32 before β and u are made for it, so H is orthogonal to fp64's precision; u's sums are fp64's. What is lost are the roundings of A's numbers,
/// each in the measure of its own size, once a panel of 64, and those of u: together some units of fp32 times the mean size of A's numbers, which for a matrix of descriptors is far less than
/// fp32's spacing at the first eigenvalue. Reflector k stays in row k right of the diagonal.
/// </summary>
internal sealed unsafe class SingleTridiagonalForm : IDisposable
{
    private const int Panel = 64;

    /// <summary>Reflections that are applied together to vectors: each packed number is used as often.</summary>
    private const int Group = 256;

    /// <summary>Rows of A share their part of A v among threads; by n alone, so that the sums' order is.</summary>
    private const int Slices = 8;

    /// <summary>Below so many numbers threads cost more than they share out.</summary>
    private const int SharedFrom = 1 << 14;

    private readonly Device device;
    private readonly DeviceBuffer buffer, panel;
    private readonly float* matrix, v, u;
    private readonly double[] factors, sums, row, dots;
    private readonly int n, stride, width;

    /// <param name="device">Of kind Cpu.</param>
    /// <param name="n">Rows and columns; <see cref="Row"/> takes them.</param>
    public SingleTridiagonalForm(Device device, int n)
    {
        (this.device, this.n) = (device, n);
        // Rows begin with a cache line, an odd number of which lies between them: they do not meet in few sets of the caches.
        width = (n + UpperTriangle.Square - 1) / UpperTriangle.Square * UpperTriangle.Square;
        stride = (width / UpperTriangle.Square | 1) * UpperTriangle.Square;
        buffer = device.Allocate((long)width * stride);
        panel = device.Allocate(3L * Panel * stride);
        matrix = HostMemory.Pointer(buffer);
        v = HostMemory.Pointer(panel);
        u = v + (long)Panel * stride;
        (factors, Diagonal, Side) = (new double[n], new double[n], new double[n]);
        (sums, row, dots) = (new double[(long)Slices * stride], new double[stride], new double[2 * Panel]);
    }

    public double[] Diagonal { get; }

    /// <summary>Beside the diagonal; the last is 0.</summary>
    public double[] Side { get; }

    /// <summary>Row i of the matrix; both triangles are to be filled.</summary>
    public Span<float> Row(int i) => new(matrix + (long)i * stride, n);

    /// <param name="progress">Is told what part of the work is done.</param>
    public void Reduce(Action<double>? progress, CancellationToken token)
    {
        using var product = new HostProduct<float>(device);
        for (int first = 0; first < n; first += Panel)
        {
            token.ThrowIfCancellationRequested();
            int size = Math.Min(Panel, n - first), rest = n - first - size;
            device.Clear(panel);
            for (int j = 0; j < size; j++)
                Reduce(first, j);
            Update(product, first + size, rest);
            progress?.Invoke(1 - Math.Pow((double)rest / n, 3));
        }
    }

    /// <summary>Row k = first + j: the changes of the panel so far, its reflection, and u.</summary>
    private void Reduce(int first, int j)
    {
        int k = first + j, next = k + 1;
        for (int l = 0; l < j; l++)
            (dots[l], dots[Panel + l]) = (v[(long)l * stride + k], u[(long)l * stride + k]);
        Change(j, k, matrix + (long)k * stride);
        Diagonal[k] = row[k];
        if (next == n)
            return;
        var x = row.AsSpan(next, n - next);
        double norm = Math.Sqrt(SymmetricEigen.Dot(x[1..], x[1..])), length = double.Hypot(x[0], norm);
        var reflector = Row(k)[next..];
        if (norm == 0)
        {
            // Tridiagonal already.
            Side[k] = x[0];
            reflector.Clear();
            return;
        }
        Side[k] = x[0] > 0 ? -length : length;
        x[0] -= Side[k];
        double scale = 1 / double.Hypot(x[0], norm), square = 0;
        for (int i = 0; i < x.Length; i++)
        {
            reflector[i] = (float)(scale * x[i]);
            square += (double)reflector[i] * reflector[i];
        }
        double beta = factors[k] = 2 / square;
        reflector.CopyTo(new(v + (long)j * stride + next, x.Length));
        Multiply(j, next);
        double along = 0;
        for (int i = 0; i < x.Length; i++)
            along += x[i] * reflector[i];
        along *= beta * beta / 2;
        var change = new Span<float>(u + (long)j * stride + next, x.Length);
        for (int i = 0; i < x.Length; i++)
            change[i] = (float)(along * reflector[i] - beta * x[i]);
    }

    /// <summary>row ← A v_j + Σ_l u_l (v_l·v_j) + v_l (u_l·v_j): A as it was before the panel, from row and column <paramref name="first"/> on, and the panel's changes.</summary>
    private void Multiply(int j, int first)
    {
        int size = n - first;
        fixed (double* parts = sums, shares = dots)
            Run(Slices + 2 * j, (long)size * size, new ProductTask(matrix, v, u, parts, shares, j, first, width, stride));
        Change(j, first, null);
    }

    /// <summary>row ← from + Σ_l u_l shares_l + v_l shares_{64+l}, from column <paramref name="first"/> on; from the slices' sums where <paramref name="from"/> is null.</summary>
    private void Change(int j, int first, float* from)
    {
        int start = first / UpperTriangle.Square * UpperTriangle.Square;
        fixed (double* to = row, parts = sums, shares = dots)
            Run((width - start + ChangeTask.Columns - 1) / ChangeTask.Columns, (long)(j + Slices) * (n - first), new ChangeTask(v, u, shares, from, parts, to, j, start, width, stride));
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

    /// <summary>The first row of a slice of those from <paramref name="first"/> on; slices hold equally many numbers.</summary>
    private static int Bound(int slice, int first, int width)
    {
        int start = first / UpperTriangle.Square, size = width / UpperTriangle.Square - start;
        return (start + (slice == Slices ? size : (int)(size * (1 - Math.Sqrt(1 - (double)slice / Slices))))) * UpperTriangle.Square;
    }

    /// <summary>A v_j by slices of A's rows; then v_l·v_j for l below j, and u_l·v_j.</summary>
    private readonly struct ProductTask(float* matrix, float* v, float* u, double* sums, double* dots, int j, int first, int width, int stride) : IHostTask
    {
        public void Run(int tile, int worker)
        {
            float* reflector = v + (long)j * stride;
            if (tile < Slices)
            {
                // Before the first row v is 0.
                int begin = Bound(tile, first, width);
                double* to = sums + (long)tile * stride;
                new Span<double>(to + begin, width - begin).Clear();
                UpperTriangle.Multiply(matrix, stride, reflector, to, begin, Bound(tile + 1, first, width), width);
                return;
            }
            int l = tile - Slices, start = first / UpperTriangle.Square * UpperTriangle.Square;
            if (l < j)
                dots[l] = Dot(v + (long)l * stride + start, reflector + start, width - start);
            else
                dots[Panel + l - j] = Dot(u + (long)(l - j) * stride + start, reflector + start, width - start);
        }

        /// <summary>A multiple of 16 numbers, in fp64.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static double Dot(float* a, float* b, int count)
        {
            Vector512<double> even = default, odd = default;
            for (int i = 0; i < count; i += 16)
            {
                var (a0, a1) = Vector512.Widen(Vector512.LoadAligned(a + i));
                var (b0, b1) = Vector512.Widen(Vector512.LoadAligned(b + i));
                even = Vector512.MultiplyAddEstimate(a0, b0, even);
                odd = Vector512.MultiplyAddEstimate(a1, b1, odd);
            }
            return Vector512.Sum(even + odd);
        }
    }

    /// <summary>Some columns of <see cref="Change"/>.</summary>
    private readonly struct ChangeTask(float* v, float* u, double* shares, float* from, double* sums, double* to, int j, int first, int width, int stride) : IHostTask
    {
        public const int Columns = 512;

        public void Run(int tile, int worker)
        {
            int start = first + tile * Columns, end = Math.Min(width, start + Columns), slices = from == null ? 1 : 0;
            for (int column = start; column < end; column += UpperTriangle.Square)
            {
                // A slice has sums from its first row on.
                while (from == null && slices < Slices && Bound(slices, first, width) <= column)
                    slices++;
                Column(column, slices);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Column(int column, int slices)
        {
            Vector512<double> low = default, high = default;
            if (from != null)
                (low, high) = Vector512.Widen(Vector512.LoadAligned(from + column));
            for (int slice = 0; slice < slices; slice++)
            {
                low += Vector512.Load(sums + (long)slice * stride + column);
                high += Vector512.Load(sums + (long)slice * stride + column + 8);
            }
            float* x = v + column, y = u + column;
            for (int l = 0; l < j; l++, x += stride, y += stride)
            {
                var (low0, high0) = Vector512.Widen(Vector512.LoadAligned(y));
                var (low1, high1) = Vector512.Widen(Vector512.LoadAligned(x));
                Vector512<double> first = Vector512.Create(shares[l]), second = Vector512.Create(shares[Panel + l]);
                low = Vector512.MultiplyAddEstimate(low0, first, low);
                high = Vector512.MultiplyAddEstimate(high0, first, high);
                low = Vector512.MultiplyAddEstimate(low1, second, low);
                high = Vector512.MultiplyAddEstimate(high1, second, high);
            }
            low.Store(to + column);
            high.Store(to + column + 8);
        }
    }

    /// <summary>A += Vᵀ U + Uᵀ V for the rows and columns from <paramref name="first"/> on, as one product of 128 steps; and the squares on its diagonal again in both triangles.</summary>
    private void Update(HostProduct<float> product, int first, int rest)
    {
        if (rest == 0)
            return;
        long numbers = (long)Panel * stride;
        new Span<float>(v, (int)numbers).CopyTo(new(u + numbers, (int)numbers));
        product.Add(rest, rest, 2 * Panel, new(v + first, stride, alongK: false), new(u + first, stride, alongK: false), matrix + (long)first * stride + first, stride, upper: true);
        for (int square = first; square < width; square += UpperTriangle.Square)
        {
            float* a = matrix + (long)square * stride + square;
            for (int i = 1; i < UpperTriangle.Square; i++)
                for (int j = 0; j < i; j++)
                    a[i * stride + j] = a[j * stride + i];
        }
    }

    /// <summary>z ← Q z for rows z [count][n]; groups of reflections, last first, as I − Vᵀ T V with T upper triangular (Schreiber and Van Loan 1989): 2 n² FLOPs a vector, in products.</summary>
    public void Turn(float* z, int count, Action<double>? progress, CancellationToken token)
    {
        using var product = new HostProduct<float>(device);
        using DeviceBuffer gram = device.Allocate(Group * Group), along = device.Allocate((long)count * Group), turned = device.Allocate((long)count * Group);
        for (int first = (n - 1) / Group * Group; first >= 0 && count > 0; first -= Group)
        {
            token.ThrowIfCancellationRequested();
            int size = Math.Min(Group, n - first), length = n - first;
            // What stands left of the reflectors is of no use any more.
            for (int l = 0; l < size; l++)
                Row(first + l).Slice(first, l + 1).Clear();
            foreach (var sum in (DeviceBuffer[])[gram, along, turned])
                device.Clear(sum);
            float* reflectors = matrix + (long)first * stride + first, triangle = HostMemory.Pointer(gram), shares = HostMemory.Pointer(along), to = HostMemory.Pointer(turned);
            var steps = new ProductOperand<float>(reflectors, stride, alongK: true);
            product.Add(size, size, length, steps, steps, triangle, size);
            Triangle(triangle, first, size);
            product.Add(count, size, length, new(z + first, n, alongK: true), steps, shares, size);
            // Rows: (V z)ᵀ Tᵀ, with the sign in T.
            product.Add(count, size, size, new(shares, size, alongK: true), new(triangle, size, alongK: true), to, size);
            product.Add(count, length, size, new(to, size, alongK: true), new(reflectors, stride, alongK: false), z + first, n);
            progress?.Invoke(1 - Math.Pow((double)first / n, 2));
        }
    }

    /// <summary>−T of a group in place of V Vᵀ: T_jj = β_j, T_{0…j,j} = −β_j T_{0…j,0…j} (V v_j).</summary>
    private void Triangle(float* products, int first, int size)
    {
        double[] t = new double[size * size], along = new double[size];
        for (int j = 0; j < size; j++)
        {
            double beta = factors[first + j];
            for (int i = 0; i < j; i++)
                along[i] = products[j * size + i];
            for (int i = 0; i < j; i++)
                t[i * size + j] = -beta * SymmetricEigen.Dot(t.AsSpan(i * size + i, j - i), along.AsSpan(i, j - i));
            t[j * size + j] = -beta;
        }
        for (int i = 0; i < t.Length; i++)
            products[i] = (float)t[i];
    }

    public void Dispose()
    {
        buffer.Dispose();
        panel.Dispose();
    }
}
