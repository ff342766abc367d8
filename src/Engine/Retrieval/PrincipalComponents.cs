using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>
/// Fits a PCA, with whitening where asked for (1511.07247, section 5.2; Jégou and Chum 2012):
/// <code>
/// μ = mean of the rows      C = (X − μ)ᵀ(X − μ)/(n − 1) = U diag(λ) Uᵀ
/// W_i = u_i / √(λ_i + 1e-9) whitened, u_i plain             b = −W μ
/// </code>
/// Where there are fewer samples than numbers the Gram matrix G = (X − μ)(X − μ)ᵀ/(n − 1) = V diag(λ) Vᵀ has the same λ and is smaller:
/// u_i = (X − μ)ᵀ v_i, made unit length. Few leading eigenvectors of a large matrix are found by <see cref="LeadingEigen"/>, all others by <see cref="SymmetricEigen"/>.
/// </summary>
public static class PrincipalComponents
{
    /// <summary>Added to an eigenvalue under the root, as the authors' code does.</summary>
    private const double WhiteningFloor = 1e-9;

    /// <summary>Components weaker than this share of the first are noise of fp32 descriptors; whitening would blow them up.</summary>
    private const double WeakestComponent = 1e-7;

    /// <param name="descriptors">[n, D], at most some 10,000 rows: images of the training database.</param>
    /// <param name="dimensions">Components to keep, 1 … min(n − 1, D).</param>
    /// <exception cref="UserErrorException">Too many components for these samples, or components without variance.</exception>
    public static Projection Fit(Device device, DescriptorMatrix descriptors, int dimensions, bool whiten = true, IProgressSink? progress = null, CancellationToken token = default)
    {
        int n = descriptors.Rows, length = descriptors.Dimension, most = Math.Min(n - 1, length);
        if (dimensions < 1 || dimensions > most)
            throw new UserErrorException(
                $"A PCA of {n} descriptors of {length} numbers has at most {Math.Max(0, most)} components, not {dimensions}: ask for fewer, or give more images.");
        progress?.Begin("Multiplying the descriptors with each other", 0, "products");
        var mean = Mean(descriptors);
        using var centred = device.Allocate((long)n * length);
        Centre(device, descriptors, mean, centred);
        bool dual = n < length;
        var (values, axes) = Leading(device, centred, n, length, dual, dimensions, progress, token);
        for (int i = 0; i < dimensions; i++)
            if (!(values[i] >= WeakestComponent * values[0]) || values[0] <= 0)
                throw new UserErrorException(
                    $"Only {i} of {dimensions} components carry any variance (component {i + 1} has less than {WeakestComponent:0e+0} of the first): ask for {Math.Max(1, i)} or fewer, or give more different images.");
        progress?.Begin("Making the components", 0, "components");
        if (dual)
            axes = Multiply(device, new GemmShape(dimensions, length, n, TransposeA: 0, TransposeB: 0, Exact: 1), axes, centred);
        return Assemble(axes, mean, values, dimensions, length, whiten);
    }

    /// <summary>Numbers of a row whose means one task sums.</summary>
    private const int Columns = 256;

    private static double[] Mean(DescriptorMatrix x)
    {
        var mean = new double[x.Dimension];
        Parallel.For(0, (x.Dimension + Columns - 1) / Columns, block =>
        {
            int first = block * Columns, count = Math.Min(Columns, x.Dimension - first);
            var sums = mean.AsSpan(first, count);
            for (int i = 0; i < x.Rows; i++)
            {
                var row = x.Row(i).Slice(first, count);
                for (int j = 0; j < row.Length; j++)
                    sums[j] += row[j];
            }
            foreach (ref double sum in sums)
                sum /= x.Rows;
        });
        return mean;
    }

    /// <summary>Rows that are centred together, and go to the device together.</summary>
    private const int Rows = 64;

    private static void Centre(Device device, DescriptorMatrix x, double[] mean, DeviceBuffer centred)
    {
        var rows = new float[Rows * x.Dimension];
        for (int first = 0; first < x.Rows; first += Rows)
        {
            int count = Math.Min(Rows, x.Rows - first), start = first;
            Parallel.For(0, count, i =>
            {
                var from = x.Row(start + i);
                var to = rows.AsSpan(i * x.Dimension, x.Dimension);
                for (int j = 0; j < to.Length; j++)
                    to[j] = (float)(from[j] - mean[j]);
            });
            device.Upload(rows.AsSpan(0, count * x.Dimension), centred.View.SubView((long)first * x.Dimension, (long)count * x.Dimension));
        }
    }

    /// <summary>Eigenvalues, at least the asked ones, and vectors as rows of the covariance [D, D] or the Gram matrix [n, n]; both over n − 1.</summary>
    private static (double[] Values, float[] Vectors) Leading(Device device, DeviceBuffer centred, int n, int length, bool dual, int dimensions, IProgressSink? progress, CancellationToken token)
    {
        int size = dual ? n : length;
        var shape = new GramShape(size, dual ? length : n, dual ? 0 : 1);
        using var products = device.Allocate((long)size * size);
        using (var workspace = device.Allocate(Gram.Operation.Workspace(device, shape)))
            Gram.Multiply(device, shape, centred, products, workspace);
        if (LeadingEigen.Pays(size, dimensions))
        {
            progress?.Begin($"Looking for {dimensions} components", 0, "components");
            if (LeadingEigen.Find(device, products, size, dimensions, token) is { } found)
                return ([.. found.Values.Select(v => v / (n - 1))], found.Vectors);
        }
        if (SingleEigen.Pays(size) && SingleEigen.Find(device, products, size, dimensions, progress, token) is { } single)
            return ([.. single.Values.Select(v => v / (n - 1))], single.Vectors);
        var (values, vectors) = SymmetricEigen.Decompose(device, Array.ConvertAll(device.Download(products.View), x => (double)x / (n - 1)), size, dimensions, progress, token);
        return (values, Array.ConvertAll(vectors, x => (float)x));
    }

    private static float[] Multiply(Device device, GemmShape shape, float[] a, DeviceBuffer b)
    {
        using var left = device.Allocate(a);
        using var output = device.Allocate((long)shape.M * shape.N);
        using var workspace = device.Allocate(Gemm.Operation.Workspace(device, shape));
        Gemm.Multiply(device, shape, left, b, output, workspace);
        return device.Download(output.View);
    }

    private static Projection Assemble(float[] axes, double[] mean, double[] values, int dimensions, int length, bool whiten)
    {
        var bias = new float[dimensions];
        Parallel.For(0, dimensions, i =>
        {
            var axis = axes.AsSpan(i * length, length);
            double norm = 0;
            foreach (float x in axis)
                norm += (double)x * x;
            double scale = 1 / Math.Sqrt(norm) / (whiten ? Math.Sqrt(values[i] + WhiteningFloor) : 1);
            double product = 0;
            for (int j = 0; j < length; j++)
            {
                axis[j] = (float)(axis[j] * scale);
                product += axis[j] * mean[j];
            }
            bias[i] = (float)-product;
        });
        return new(length, dimensions, axes, bias, [.. values.Take(dimensions).Select(v => (float)v)]);
    }
}
