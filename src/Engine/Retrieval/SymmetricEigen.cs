using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>
/// Eigenvalues and leading eigenvectors of a real symmetric matrix in fp64, on the processor:
/// <list type="number">
/// <item><see cref="TridiagonalForm"/>: A = Q T Qᵀ, 4/3 n³ FLOPs;</item>
/// <item><see cref="TridiagonalEigen"/>: T's eigenvectors by divide and conquer, up to 4/3 n³;</item>
/// <item>Q times those that are wanted, 2 n² each.</item>
/// </list>
/// Beside the matrix (8 n² bytes) it needs as much again for the halves' vectors, and 16 n bytes a vector. Every sum has one owner and a fixed order: the bits do not depend on the number of threads.
/// </summary>
public static class SymmetricEigen
{
    // Below this a parallel loop costs more than it shares out.
    private const int ParallelFrom = 96;

    /// <param name="device">Whose threads work; for one that is not of the processor's kind the processor is opened beside it.</param>
    /// <param name="matrix">[n, n], both triangles; destroyed.</param>
    /// <param name="vectors">How many eigenvectors, 0 … n.</param>
    /// <returns>All n values, largest first, and the vectors of the first ones as rows [vectors, n], each of unit length with its largest component positive.</returns>
    /// <exception cref="UserErrorException">The matrix holds NaN or infinity.</exception>
    public static (double[] Values, double[] Vectors) Decompose(Device device, double[] matrix, int n, int vectors, IProgressSink? progress = null, CancellationToken token = default)
    {
        if (matrix.LongLength != (long)n * n)
            throw new ArgumentException($"A matrix of {n} × {n} cannot have {matrix.LongLength} numbers.");
        ArgumentOutOfRangeException.ThrowIfGreaterThan(vectors, n);
        foreach (double x in matrix)
            if (!double.IsFinite(x))
                throw NotFinite();
        using var processor = device.Kind == DeviceKind.Cpu ? null : Device.Cpu();
        device = processor ?? device;
        progress?.Begin("Reducing the matrix to three diagonals", 100, "parts of the work");
        var form = new TridiagonalForm(device, matrix, n, Share(progress), token);
        progress?.Begin("Solving for the diagonals' eigenvectors", 0, "vectors");
        var (values, rows) = new TridiagonalEigen(device, form.Diagonal, form.Side, token).Solve(vectors);
        progress?.Begin("Turning the eigenvectors back", 100, "parts of the work");
        form.Turn(rows, vectors, Share(progress), token);
        For(vectors, n, v => Orient(rows.AsSpan(v * n, n)));
        return (values, rows);
    }

    internal static UserErrorException NotFinite() => new("The descriptors hold NaN or infinity, so they have no principal components: check the weights that made them.");

    internal static Action<double>? Share(IProgressSink? progress) => progress is null ? null : share => progress.Advance((long)(100 * share));

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

    /// <param name="size">Numbers of one body's work: where it is small no threads are asked.</param>
    internal static void For(int count, int size, Action<int> body)
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
}
