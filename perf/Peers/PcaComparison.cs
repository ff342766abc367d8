using System.Globalization;
using System.Runtime.InteropServices;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Peers;

/// <summary>
/// Principal components of descriptors of length 1 whose variance falls as that of real ones does: random directions, number j scaled by 1/√(1 + j/16), and all mixed by random signs of a
/// butterfly, so that no number stands out.
/// </summary>
internal sealed class PcaComparison : IComparedWork
{
    private readonly PcaSize size;
    private float[] found = [];

    /// <param name="scratch">A folder for the file that engines read.</param>
    public PcaComparison(PcaSize size, string scratch)
    {
        this.size = size;
        Input = Path.Combine(scratch, "descriptors");
        using var file = File.Create(Input);
        file.Write(MemoryMarshal.AsBytes<float>(Descriptors()));
    }

    public string Title => $"the first {size.Components} principal components of {size.Rows} × {size.Dimensions}";

    public string DifferenceTitle => "variance kept less than by ours, of 1";

    /// <summary>Of the Gram matrix, the tridiagonal form, the vectors turned back and the components: what all ways have in common.</summary>
    public double Flops
    {
        get
        {
            double n = size.Rows, d = size.Dimensions, k = size.Components;
            return n * n * d + 4 * n * n * n / 3 + 2 * n * n * k + 2 * n * d * k;
        }
    }

    public string Input { get; }

    public IReadOnlyList<string> Own => ["pca", Text(size.Dimensions), Text(size.Components)];

    public string Filled(string command) => command.Replace("{dimensions}", Text(size.Dimensions)).Replace("{components}", Text(size.Components));

    public double? Take(ReadOnlySpan<byte> ours)
    {
        found = MemoryMarshal.Cast<byte, float>(ours).ToArray();
        return null;
    }

    /// <summary>
    /// How much less of the descriptors' variance the peer's components hold than ours, a share of ours: the best possible subspace has the most. Where both span the same it is a few
    /// units of fp32; below zero theirs hold more.
    /// </summary>
    public double Difference(ReadOnlySpan<byte> answer)
    {
        int length = size.Components * size.Dimensions;
        var theirs = MemoryMarshal.Cast<byte, float>(answer);
        if (theirs.Length != length + size.Components)
            return double.NaN;
        for (int i = 0; i < size.Components; i += Math.Max(1, size.Components / 8))
            Console.WriteLine($"  eigenvalue {i + 1}: ours {found[length + i]:0.0000000e+0}, theirs {theirs[length + i]:0.0000000e+0}");
        using var device = Device.Cpu();
        float[] descriptors = Descriptors();
        return 1 - Variance(device, descriptors, theirs[..length]) / Variance(device, descriptors, found.AsSpan(0, length));
    }

    /// <summary>Σ over components and descriptors of (u·(x − μ))², projections in fp32 products, sums in fp64.</summary>
    private double Variance(Device device, float[] descriptors, ReadOnlySpan<float> components)
    {
        const int chunk = 1000;
        using var weight = device.Allocate(components);
        var shape = new GemmShape(chunk, size.Components, size.Dimensions, TransposeA: 0, TransposeB: 1, Exact: 1);
        using var rows = device.Allocate((long)chunk * size.Dimensions);
        using var output = device.Allocate((long)chunk * size.Components);
        using var workspace = device.Allocate(Gemm.Operation.Workspace(device, shape));
        double[] sums = new double[size.Components], squares = new double[size.Components];
        for (int first = 0; first < size.Rows; first += chunk)
        {
            int count = Math.Min(chunk, size.Rows - first);
            device.Upload(descriptors.AsSpan(first * size.Dimensions, count * size.Dimensions), rows.View);
            Gemm.Multiply(device, shape with { M = count }, rows, weight, output, workspace);
            var projected = device.Download(output.View);
            for (int i = 0; i < count; i++)
                for (int j = 0; j < size.Components; j++)
                {
                    double x = projected[i * size.Components + j];
                    sums[j] += x;
                    squares[j] += x * x;
                }
        }
        return squares.Zip(sums, (square, sum) => square - sum * sum / size.Rows).Sum();
    }

    private float[] Descriptors()
    {
        var matrix = new float[(long)size.Rows * size.Dimensions];
        Parallel.For(0, size.Rows, i =>
        {
            var random = new Random(i);
            var row = matrix.AsSpan(i * size.Dimensions, size.Dimensions);
            for (int j = 0; j < row.Length; j++)
                row[j] = (random.NextSingle() + random.NextSingle() - 1) / MathF.Sqrt(1 + j / 16f);
            Mix(row);
            double norm = 0;
            foreach (float x in row)
                norm += x * x;
            for (int j = 0; j < row.Length; j++)
                row[j] = (float)(row[j] / Math.Sqrt(norm));
        });
        return matrix;
    }

    /// <summary>The same rotation for every row: butterflies over neighbours 1, 2, 4… apart, with signs from a hash of the place.</summary>
    private static void Mix(Span<float> row)
    {
        for (int step = 1; step < row.Length; step *= 2)
            for (int j = 0; j + step < row.Length; j++)
                if ((j & step) == 0)
                {
                    float sign = (uint)((j + step) * 2654435761L) % 2 == 0 ? 1 : -1, a = row[j], b = sign * row[j + step];
                    (row[j], row[j + step]) = (a + b, a - b);
                }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
