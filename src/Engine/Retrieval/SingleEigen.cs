using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>
/// Leading eigenpairs of a large symmetric matrix without negative eigenvalues, in fp32 where that does little harm, on the processor:
/// <list type="number">
/// <item><see cref="SingleTridiagonalForm"/>: A = Q T Qᵀ, 4/3 n³ FLOPs;</item>
/// <item><see cref="TridiagonalPairs"/>: T's pairs in fp64, or <see cref="TridiagonalEigen"/> where they lie in clusters;</item>
/// <item>Q times those vectors, 2 n² each, in fp32 products.</item>
/// </list>
/// Values are those of a matrix that differs from A by about 1e-8 of the first value, as the fp32 sums that A comes from do; the vectors' lengths and angles are off by 1e-6 at the most.
/// <see cref="SymmetricEigen"/> has those matrices of which much weaker components are asked for, and small ones.
/// </summary>
internal static class SingleEigen
{
    /// <summary>Where one that is asked for is weaker than this share of the first, all are left to fp64: its variance would be off by more than some 1e-4 of its own.</summary>
    public const double Weakest = 1e-5;

    /// <summary>From this size on: at it this way takes two thirds of the complete one's 0.17 s in fp64, for 1500 half the time (docs/speed/pca.md).</summary>
    private const int Smallest = 1000;

    /// <summary>
    /// Components of vectors of length 1 below this count as 0: far from their place vectors of three diagonals fall by powers, down to numbers without fp32's full precision, and some processors (Intel's)
    /// take many times as long for a multiply-add that meets one.
    /// </summary>
    private const double Negligible = 1e-20;

    public static bool Pays(int n) => n >= Smallest;

    /// <param name="device">Whose threads work; for one that is not of the processor's kind the processor is opened beside it.</param>
    /// <param name="matrix">[n, n] on the device, both triangles the same; not changed.</param>
    /// <param name="count">Eigenpairs to find, 1 … n.</param>
    /// <returns>Values, largest first, and vectors of unit length as rows, [count, n]; null where the last of them is weaker than <see cref="Weakest"/>.</returns>
    /// <exception cref="UserErrorException">The matrix holds NaN or infinity.</exception>
    public static unsafe (double[] Values, float[] Vectors)? Find(Device device, DeviceBuffer matrix, int n, int count, IProgressSink? progress = null, CancellationToken token = default)
    {
        using var other = device.Kind == DeviceKind.Cpu ? null : Device.Cpu();
        var processor = other ?? device;
        using var form = new SingleTridiagonalForm(processor, n);
        bool finite = true;
        for (int i = 0; i < n; i++)
        {
            device.Download(matrix.View.SubView((long)i * n, n), form.Row(i));
            foreach (float x in form.Row(i))
                finite &= float.IsFinite(x);
        }
        if (!finite)
            throw SymmetricEigen.NotFinite();
        progress?.Begin("Reducing the matrix to three diagonals", 100, "parts of the work");
        form.Reduce(SymmetricEigen.Share(progress), token);
        progress?.Begin("Solving for the diagonals' eigenvectors", 0, "vectors");
        var pairs = new TridiagonalPairs(form.Diagonal, form.Side, token);
        double[] values = pairs.Values(count);
        if (!(values[^1] >= Weakest * values[0]) || values[0] <= 0)
            return null;
        var rows = pairs.Vectors(values) ?? new TridiagonalEigen(processor, form.Diagonal, form.Side, token).Solve(count).Vectors;
        progress?.Begin("Turning the eigenvectors back", 100, "parts of the work");
        var vectors = new float[(long)count * n];
        Parallel.For(0, count, v =>
        {
            for (int i = v * n; i < (v + 1) * n; i++)
                vectors[i] = Math.Abs(rows[i]) < Negligible ? 0 : (float)rows[i];
        });
        fixed (float* z = vectors)
            form.Turn(z, count, SymmetricEigen.Share(progress), token);
        Parallel.For(0, count, v => Orient(vectors.AsSpan(v * n, n)));
        return (values, vectors);
    }

    /// <summary>Length 1, the largest component positive.</summary>
    private static void Orient(Span<float> z)
    {
        float largest = 0;
        double square = 0;
        foreach (float x in z)
        {
            square += (double)x * x;
            if (Math.Abs(x) > Math.Abs(largest))
                largest = x;
        }
        double scale = (largest < 0 ? -1 : 1) / Math.Sqrt(square);
        foreach (ref float x in z)
            x = (float)(x * scale);
    }
}
