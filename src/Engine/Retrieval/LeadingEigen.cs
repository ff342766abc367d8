using IlgpuNetVlad.Engine.Training;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>
/// Leading eigenpairs of a large symmetric matrix without negative eigenvalues, by subspace iteration with Chebyshev filters and Rayleigh–Ritz (Zhou, Saad, Tiago and
/// Chelikowsky, Journal of Computational Physics 219, 2006): a tenth more vectors than asked for, m, become T_d(2 G/b − 1) V, where b, the least of their Ritz values,
/// bounds what is to be damped; then they are made orthonormal and turned to Ritz vectors, until
/// <code>
/// ‖G v_i − λ_i v_i‖ ≤ 1e-5 λ_1        for all that are kept
/// </code>
/// A round takes 2·n²·m·d FLOPs for the filter and some 8·n·m² beside it, in products of the device; panels of 128 vectors and the Ritz problem of m × m are
/// solved in fp64 on the host. Vectors are rows.
/// </summary>
internal sealed class LeadingEigen : IDisposable
{
    /// <summary>Of the largest eigenvalue; fp32 products reach about a hundredth of it.</summary>
    private const double Tolerance = 1e-5;

    /// <summary>Vectors that are made orthonormal together.</summary>
    private const int Panel = 128;

    private const int MostRounds = 24, MostDegrees = 12;

    /// <summary>How much more a filter may lift the first vector than those at the bound: beyond, fp32 would lose these.</summary>
    private const double MostLift = 1e6;

    /// <summary>A vector of which so little is left beside those before it is nothing but rounding.</summary>
    private const double Dependent = 1e-6;

    private readonly Device device;
    private readonly DeviceBuffer matrix, scratch, workspace;
    private readonly int n, count, m;
    private DeviceBuffer vectors, products;

    private LeadingEigen(Device device, DeviceBuffer matrix, int n, int count)
    {
        (this.device, this.matrix, this.n, this.count) = (device, matrix, n, count);
        m = Width(n, count);
        vectors = device.Allocate((long)m * n);
        products = device.Allocate((long)m * n);
        scratch = device.Allocate((long)m * n);
        GemmShape[] shapes = [new(m, n, n), new(m, m, n, 0, 1), new(m, n, m), new(Math.Min(Panel, m), n, m), new(Math.Min(Panel, m), m, n, 0, 1)];
        workspace = device.Allocate(shapes.Max(s => Gemm.Operation.Workspace(device, s with { Exact = 1 })));
    }

    /// <summary>
    /// Whether this way takes less than <see cref="SingleEigen"/>. Measured on two cores, descriptors whose variance falls like 1/(1 + j/16): both take as long for 90 of 3000 and 125 of
    /// 4000; 218 of 7000 take 4.9 s instead of 7.7. That way is the more exact one, and its time does not depend on the spectrum: so it has what lies near.
    /// </summary>
    public static bool Pays(int n, int count) => n >= 4000 && count <= n / 32;

    private static int Width(int n, int count) => Math.Min(n, count + Math.Max(16, count / 10));

    /// <param name="matrix">[n, n] on the device, both triangles the same; not changed.</param>
    /// <param name="count">Eigenpairs to find, 1 … n.</param>
    /// <returns>Values, largest first, and vectors of unit length as rows, [count, n]; null where the spectrum is too flat for this way.</returns>
    /// <exception cref="UserErrorException">The matrix holds NaN or infinity.</exception>
    public static (double[] Values, float[] Vectors)? Find(Device device, DeviceBuffer matrix, int n, int count, CancellationToken token = default)
    {
        using var search = new LeadingEigen(device, matrix, n, count);
        return search.Run(token);
    }

    private (double[] Values, float[] Vectors)? Run(CancellationToken token)
    {
        var random = new SeededGenerator(1);
        var start = new float[(long)m * n];
        for (int i = 0; i < start.Length; i++)
            start[i] = (float)(2 * random.NextDouble() - 1);
        device.Upload(start, products);
        for (int round = 0; round <= MostRounds; round++)
        {
            token.ThrowIfCancellationRequested();
            Orthonormalise(products);
            (vectors, products) = (products, vectors);
            Multiply(new(m, n, n), vectors, matrix, products);
            var values = Ritz(token);
            if (Residual(values) <= Tolerance * values[0])
                return (values[..count], device.Download(vectors.View.SubView(0, (long)count * n)));
            Filter(values, token);
        }
        return null;
    }

    /// <summary>products ← T_d(2 G/b − 1) V, of V and G V, by the three-term recurrence.</summary>
    private void Filter(double[] values, CancellationToken token)
    {
        double bound = Math.Max(values[m - 1], 1e-9 * values[0]);
        int degree = values[0] > bound ? Math.Clamp((int)(Math.Acosh(MostLift) / Math.Acosh(2 * values[0] / bound - 1)), 1, MostDegrees) : 1;
        float scale = (float)(2 / bound);
        float[] before = device.Download(vectors.View), now = device.Download(products.View);
        Combine(now, scale, before, 1, before, 0, now);
        for (int d = 1; d < degree; d++)
        {
            token.ThrowIfCancellationRequested();
            device.Upload(now, vectors);
            Multiply(new(m, n, n), vectors, matrix, products);
            Combine(device.Download(products.View), 2 * scale, now, 2, before, 1, before);
            (before, now) = (now, before);
        }
        device.Upload(now, products);
    }

    /// <summary>to = a·x − b·y − c·z</summary>
    private void Combine(float[] x, float a, float[] y, float b, float[] z, float c, float[] to) => Parallel.For(0, m, row =>
    {
        for (int i = row * n; i < (row + 1) * n; i++)
            to[i] = a * x[i] - b * y[i] - c * z[i];
    });

    private void Multiply(GemmShape shape, ILGPU.ArrayView<float> a, ILGPU.ArrayView<float> b, ILGPU.ArrayView<float> c) => Gemm.Multiply(device, shape with { Exact = 1 }, a, b, c, workspace);

    /// <summary>Turns the vectors, and what the matrix made of them, to the best approximations of eigenvectors in the space that they span.</summary>
    private double[] Ritz(CancellationToken token)
    {
        using var small = device.Allocate((long)m * m);
        Multiply(new(m, m, n, 0, 1), products, vectors, small);
        var single = device.Download(small.View);
        var symmetric = new double[single.LongLength];
        for (int i = 0; i < m; i++)
            for (int j = 0; j <= i; j++)
                symmetric[(long)i * m + j] = symmetric[(long)j * m + i] = ((double)single[(long)i * m + j] + single[(long)j * m + i]) / 2;
        var (values, turned) = SymmetricEigen.Decompose(device, symmetric, m, m, token: token);
        for (int i = 0; i < m; i++)
            for (int j = 0; j < m; j++)
                single[(long)i * m + j] = (float)turned[(long)i * m + j];
        device.Upload(single, small);
        Multiply(new(m, n, m), small, vectors, scratch);
        device.Copy(scratch, vectors);
        Multiply(new(m, n, m), small, products, scratch);
        device.Copy(scratch, products);
        return values;
    }

    /// <summary>The largest ‖G v_i − λ_i v_i‖ of those that are kept.</summary>
    private double Residual(double[] values)
    {
        float[] v = new float[n], p = new float[n];
        double largest = 0;
        for (int i = 0; i < count; i++)
        {
            device.Download(vectors.View.SubView((long)i * n, n), v);
            device.Download(products.View.SubView((long)i * n, n), p);
            double square = 0;
            for (int j = 0; j < n; j++)
                square += (p[j] - values[i] * v[j]) * (p[j] - values[i] * v[j]);
            largest = Math.Max(largest, Math.Sqrt(square));
        }
        return largest;
    }

    /// <summary>Makes rows orthonormal, panel by panel: twice against the panels before, by products; then among each other in fp64. Dependent rows become zero.</summary>
    private void Orthonormalise(DeviceBuffer rows)
    {
        using var along = device.Allocate((long)Panel * m);
        for (int first = 0, size; first < m; first += size)
        {
            size = Math.Min(Panel, m - first);
            var panel = rows.View.SubView((long)first * n, (long)size * n);
            if (first > 0)
            {
                var before = rows.View.SubView(0, (long)first * n);
                var change = scratch.View.SubView(0, panel.Length);
                for (int pass = 0; pass < 2; pass++)
                {
                    var share = along.View.SubView(0, (long)size * first);
                    Multiply(new(size, first, n, 0, 1), panel, before, share);
                    device.Upload([.. device.Download(share).Select(x => -x)], share);
                    Multiply(new(size, n, first), share, before, change);
                    Addition.Accumulate(device, new(checked((int)panel.Length)), panel, change);
                }
            }
            device.Upload(AmongEachOther(device.Download(panel), size), panel);
        }
    }

    /// <summary>Modified Gram–Schmidt, twice a vector.</summary>
    private float[] AmongEachOther(float[] panel, int size)
    {
        var done = new double[size][];
        for (int i = 0; i < size; i++)
        {
            var row = new double[n];
            for (int j = 0; j < n; j++)
                row[j] = panel[(long)i * n + j];
            done[i] = row;
        }
        for (int i = 0; i < size; i++)
        {
            double length = Math.Sqrt(SymmetricEigen.Dot(done[i], done[i]));
            for (int pass = 0; pass < 2; pass++)
                for (int j = 0; j < i; j++)
                    SymmetricEigen.Add(done[i], done[j], -SymmetricEigen.Dot(done[i], done[j]));
            double left = Math.Sqrt(SymmetricEigen.Dot(done[i], done[i])), scale = left > Dependent * length ? 1 / left : 0;
            for (int j = 0; j < n; j++)
                panel[(long)i * n + j] = (float)(done[i][j] *= scale);
        }
        return panel;
    }

    public void Dispose()
    {
        vectors.Dispose();
        products.Dispose();
        scratch.Dispose();
        workspace.Dispose();
    }
}
