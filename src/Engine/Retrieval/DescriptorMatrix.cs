namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>Descriptors of images, one row an image: values [Rows, Dimension], row-major, in host memory.</summary>
public sealed class DescriptorMatrix
{
    /// <param name="names">Where given, one name a row: the image's path.</param>
    /// <exception cref="UserErrorException">More numbers than one array may hold.</exception>
    public DescriptorMatrix(int rows, int dimension, IReadOnlyList<string>? names = null)
        : this(rows, dimension, Allocate(rows, dimension), names)
    {
    }

    /// <param name="values">At least rows × dimension numbers; not copied.</param>
    public DescriptorMatrix(int rows, int dimension, float[] values, IReadOnlyList<string>? names = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(dimension);
        if (values.LongLength < (long)rows * dimension)
            throw new ArgumentException($"{rows} rows of {dimension} numbers need {(long)rows * dimension}, not {values.LongLength}.");
        if (names is not null && names.Count != rows)
            throw new ArgumentException($"{rows} rows cannot have {names.Count} names.");
        Rows = rows;
        Dimension = dimension;
        Values = values;
        Names = names;
    }

    public int Rows { get; }
    public int Dimension { get; }

    /// <summary>Row-major; row i begins at i·Dimension.</summary>
    public float[] Values { get; }

    /// <summary>One name a row, or null.</summary>
    public IReadOnlyList<string>? Names { get; }

    public Span<float> Row(int i) => Values.AsSpan(i * Dimension, Dimension);

    /// <summary>The named rows in the given order.</summary>
    public DescriptorMatrix Select(IReadOnlyList<int> rows)
    {
        var result = new DescriptorMatrix(rows.Count, Dimension, Names is null ? null : [.. rows.Select(r => Names[r])]);
        for (int i = 0; i < rows.Count; i++)
            Row(rows[i]).CopyTo(result.Row(i));
        return result;
    }

    /// <summary>
    /// The first <paramref name="dimension"/> numbers of every row, L2-normalised again (1511.07247, section 5.2: descriptors after
    /// PCA and whitening may be cut to any shorter length). A row that is zero there stays zero.
    /// </summary>
    /// <exception cref="UserErrorException">The rows are shorter than that.</exception>
    public DescriptorMatrix Cut(int dimension)
    {
        if (dimension < 1 || dimension > Dimension)
            throw new UserErrorException($"Descriptors of {Dimension} numbers cannot be cut to {dimension}: ask for 1 to {Dimension}.");
        var result = new DescriptorMatrix(Rows, dimension, Names);
        for (int i = 0; i < Rows; i++)
        {
            Row(i)[..dimension].CopyTo(result.Row(i));
            Normalise(result.Row(i));
        }
        return result;
    }

    /// <summary>v ← v / max(‖v‖, 1e-12), the norm summed in fp64.</summary>
    internal static void Normalise(Span<float> v)
    {
        double sum = 0;
        foreach (float x in v)
            sum += (double)x * x;
        double scale = 1 / Math.Max(Math.Sqrt(sum), 1e-12);
        for (int i = 0; i < v.Length; i++)
            v[i] = (float)(v[i] * scale);
    }

    private static float[] Allocate(int rows, int dimension)
    {
        if ((long)rows * dimension > Array.MaxLength)
            throw new UserErrorException(
                $"{rows} descriptors of {dimension} numbers do not fit one array: fit a PCA (`pca`) and use at most {Array.MaxLength / rows} numbers a descriptor.");
        return new float[(long)rows * dimension];
    }
}
