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
    public static Projection Fit(Device device, DescriptorMatrix descriptors, int dimensions, bool whiten = true, CancellationToken token = default)
    {
        int n = descriptors.Rows, length = descriptors.Dimension, most = Math.Min(n - 1, length);
        if (dimensions < 1 || dimensions > most)
            throw new UserErrorException(
                $"A PCA of {n} descriptors of {length} numbers has at most {Math.Max(0, most)} components, not {dimensions}: ask for fewer, or give more images.");
        var mean = Mean(descriptors);
        using var centred = device.Allocate((long)n * length);
        Centre(device, descriptors, mean, centred);
        bool dual = n < length;
        var (values, axes) = Leading(device, centred, n, length, dual, dimensions, token);
        for (int i = 0; i < dimensions; i++)
            if (!(values[i] >= WeakestComponent * values[0]) || values[0] <= 0)
                throw new UserErrorException(
                    $"Only {i} of {dimensions} components carry any variance (component {i + 1} has less than {WeakestComponent:0e+0} of the first): ask for {Math.Max(1, i)} or fewer, or give more different images.");
        if (dual)
            axes = Multiply(device, new GemmShape(dimensions, length, n, TransposeA: 0, TransposeB: 0, Exact: 1), axes, centred);
        return Assemble(axes, mean, values, dimensions, length, whiten);
    }

    private static double[] Mean(DescriptorMatrix x)
    {
        var mean = new double[x.Dimension];
        for (int i = 0; i < x.Rows; i++)
        {
            var row = x.Row(i);
            for (int j = 0; j < row.Length; j++)
                mean[j] += row[j];
        }
        for (int j = 0; j < mean.Length; j++)
            mean[j] /= x.Rows;
        return mean;
    }

    private static void Centre(Device device, DescriptorMatrix x, double[] mean, DeviceBuffer centred)
    {
        var row = new float[x.Dimension];
        for (int i = 0; i < x.Rows; i++)
        {
            var from = x.Row(i);
            for (int j = 0; j < row.Length; j++)
                row[j] = (float)(from[j] - mean[j]);
            device.Upload(row, centred.View.SubView((long)i * x.Dimension, x.Dimension));
        }
    }

    /// <summary>Eigenvalues, at least the asked ones, and vectors as rows of the covariance [D, D] or the Gram matrix [n, n]; both over n − 1.</summary>
    private static (double[] Values, float[] Vectors) Leading(Device device, DeviceBuffer centred, int n, int length, bool dual, int dimensions, CancellationToken token)
    {
        int size = dual ? n : length;
        var shape = dual ? new GemmShape(n, n, length, TransposeA: 0, TransposeB: 1, Exact: 1) : new GemmShape(length, length, n, TransposeA: 1, TransposeB: 0, Exact: 1);
        using var products = device.Allocate((long)size * size);
        using (var workspace = device.Allocate(Gemm.Operation.Workspace(device, shape)))
            Gemm.Multiply(device, shape, centred, centred, products, workspace);
        if (LeadingEigen.Pays(size, dimensions) && LeadingEigen.Find(device, products, size, dimensions, token) is { } found)
            return ([.. found.Values.Select(v => v / (n - 1))], found.Vectors);
        var (values, vectors) = SymmetricEigen.Decompose(Symmetric(device.Download(products.View), size, n - 1), size, dimensions, token);
        var rows = new float[(long)dimensions * size];
        for (int i = 0; i < dimensions; i++)
            for (int j = 0; j < size; j++)
                rows[(long)i * size + j] = (float)vectors[i][j];
        return (values, rows);
    }

    /// <summary>The two triangles are sums in another order; the eigensolver wants exact symmetry.</summary>
    private static double[] Symmetric(float[] single, int size, int divisor)
    {
        var products = new double[single.LongLength];
        for (int i = 0; i < size; i++)
            for (int j = 0; j <= i; j++)
                products[(long)i * size + j] = products[(long)j * size + i] = ((double)single[(long)i * size + j] + single[(long)j * size + i]) / 2 / divisor;
        return products;
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
        for (int i = 0; i < dimensions; i++)
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
        }
        return new(length, dimensions, axes, bias, [.. values.Take(dimensions).Select(v => (float)v)]);
    }
}
