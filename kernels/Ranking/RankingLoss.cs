using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>Shape and settings of a ranking loss over a batch of tuples.</summary>
/// <param name="MaxPositives">Places for positives in a tuple; the nearest of those present counts.</param>
/// <param name="MaxNegatives">Places for negatives in a tuple; may be 0.</param>
/// <param name="D">Numbers of a descriptor.</param>
/// <param name="Images">Rows of the descriptor matrix.</param>
public readonly record struct RankingShape(int Tuples, int MaxPositives, int MaxNegatives, int D, int Images, float Margin)
{
    /// <summary>Places of a tuple beside its query.</summary>
    public int Places => MaxPositives + MaxNegatives;
}

/// <summary>
/// Losses of a query q against its nearest positive p (by these descriptors, ties by the first) and negatives n_j, with gradients:
/// <code>
/// weak, triplet   L = Σ_j max(0, ‖q − p‖² + m − ‖q − n_j‖²)          triplet: one positive, one negative
/// contrastive     L = ½‖q − p‖² + ½ Σ_j max(0, m − ‖q − n_j‖²)
/// violating = how many j have a positive term                       loss, violating [Tuples]
/// dDescriptors[i] = Σ of every tuple's gradient by row i, in order  descriptors, dDescriptors [Images, D]
/// </code>
/// indices [Tuples, 1 + MaxPositives + MaxNegatives] hold rows: query, positives, negatives; −1 for none. A tuple without a query or
/// without positives counts 0. Every gradient is a sum of c·(q − x): the first pass finds squared distances, the second turns them into
/// the coefficients c, the third gives every row of dDescriptors one owner that walks the tuples in order, so nothing is added atomically.
/// 3D FLOPs and 4D bytes a place for the distances, about 6D FLOPs for the gradients: memory bound.
/// </summary>
public static partial class RankingLoss
{
    private const int Hinge = 0, Pull = 1;

    public static readonly Operation<RankingShape> WeakOperation = Create("ranking.weak", "L = Σ_j max(0, min_i ‖q−p_i‖² + m − ‖q−n_j‖²)", Hinge,
    [
        new(0, 2, 3, 5, 4, 1f), new(1, 1, 1, 1, 3, 1f), new(1, 1, 0, 7, 3, 1f), new(4, 1, 10, 65, 48, 0.5f), new(5, 3, 4, 64, 9, 0.5f),
        new(3, 2, 2, 63, 4, 2f), new(2, 1, 3, 1031, 5, 0.4f), new(2, 1, 2, 4, 0, 1f),
    ]);

    public static readonly Operation<RankingShape> TripletOperation = Create("ranking.triplet", "L = max(0, ‖q−p‖² + m − ‖q−n‖²)", Hinge,
    [
        new(0, 1, 1, 5, 4, 1f), new(1, 1, 1, 3, 3, 1f), new(7, 1, 1, 130, 12, 0.5f),
    ], s => s.MaxPositives != 1 || s.MaxNegatives != 1 ? "a triplet has one positive and one negative" : null);

    public static readonly Operation<RankingShape> ContrastiveOperation = Create("ranking.contrastive", "L = ½‖q−p‖² + ½ Σ_j max(0, m − ‖q−n_j‖²)", Pull,
    [
        new(0, 1, 3, 5, 4, 1f), new(1, 1, 1, 1, 3, 1f), new(4, 1, 6, 64, 20, 0.9f), new(5, 2, 3, 127, 6, 0.7f), new(2, 1, 3, 1031, 5, 1.6f),
    ]);

    /// <inheritdoc cref="RankingLoss"/>
    public static void Weak(Device device, in RankingShape shape, ArrayView<float> descriptors, ArrayView<float> indices, ArrayView<float> loss, ArrayView<float> violating, ArrayView<float> dDescriptors, ArrayView<float> workspace)
        => WeakOperation.Run(device, shape, [descriptors, indices, loss, violating, dDescriptors], workspace);

    /// <inheritdoc cref="RankingLoss"/>
    public static void Triplet(Device device, in RankingShape shape, ArrayView<float> descriptors, ArrayView<float> indices, ArrayView<float> loss, ArrayView<float> violating, ArrayView<float> dDescriptors, ArrayView<float> workspace)
        => TripletOperation.Run(device, shape, [descriptors, indices, loss, violating, dDescriptors], workspace);

    /// <inheritdoc cref="RankingLoss"/>
    public static void Contrastive(Device device, in RankingShape shape, ArrayView<float> descriptors, ArrayView<float> indices, ArrayView<float> loss, ArrayView<float> violating, ArrayView<float> dDescriptors, ArrayView<float> workspace)
        => ContrastiveOperation.Run(device, shape, [descriptors, indices, loss, violating, dDescriptors], workspace);

    private static Operation<RankingShape> Create(string name, string formula, int rule, RankingShape[] examples, Func<RankingShape, string?>? check = null) => new()
    {
        Name = name,
        FollowsData = true,
        Contract = formula + "   descriptors, dDescriptors [Images,D], indices [Tuples,1+MaxPositives+MaxNegatives], loss, violating [Tuples]",
        Check = s => s switch
        {
            { Tuples: < 0 } or { Images: < 0 } or { MaxNegatives: < 0 } => "Tuples, Images and MaxNegatives must not be negative",
            { MaxPositives: < 1 } or { D: < 1 } => "MaxPositives and D must be at least 1",
            { Margin: not >= 0 } => "Margin must be a number of at least 0",
            _ => check?.Invoke(s),
        },
        Buffers = s =>
        [
            new("descriptors", (long)s.Images * s.D, Access.Read), new("indices", (long)s.Tuples * (1 + s.Places), Access.Read, IsIndex: true),
            new("loss", s.Tuples, Access.Write), new("violating", s.Tuples, Access.Write, IsIndex: true),
            new("dDescriptors", (long)s.Images * s.D, Access.Write),
        ],
        Flops = s => 9.0 * s.Tuples * s.Places * s.D,
        // A distance adds D/64 terms in each of 64 lanes and those in 6 steps, with 3 roundings a term. A loss is a difference of two
        // distances, here not more than a few times larger than the loss itself.
        Tolerance = s => 4 * (s.D / 64 + 9) * 6e-8,
        Variants =
        [
            new("host", VariantKind.Host, (Device device, in RankingShape s, ReadOnlySpan<ArrayView<float>> buffers, ArrayView<float> workspace)
                => RunHost(device, s, rule, buffers, workspace), CoefficientCount),
            new("simt", VariantKind.Simt, (Device device, in RankingShape s, ReadOnlySpan<ArrayView<float>> buffers, ArrayView<float> workspace)
                => RunSimt(device, s, rule, buffers, workspace), CoefficientCount, kernels: [Simt.Distances, Simt.Coefficients, Simt.Gradients]),
            new("reference", VariantKind.Reference, (Device device, in RankingShape s, ReadOnlySpan<ArrayView<float>> buffers, ArrayView<float> workspace)
                => RunReference(s, rule, buffers)),
        ],
        Examples = examples,
        Fill = FillExample,
    };

    private static long CoefficientCount(Device device, RankingShape s) => (long)s.Tuples * s.Places;

    /// <summary>Descriptors of about unit length, as the network's are; rows of a tuple drawn with repetition, a fifth of them absent.</summary>
    private static bool FillExample(RankingShape s, string buffer, Random random, float[] values)
    {
        if (buffer == "descriptors")
        {
            float scale = MathF.Sqrt(3f / s.D);
            for (int i = 0; i < values.Length; i++)
                values[i] = (random.NextSingle() * 2 - 1) * scale;
        }
        else
        {
            for (int i = 0; i < values.Length; i++)
            {
                bool absent = s.Images == 0 || (i % (1 + s.Places) > 1 && random.Next(5) == 0);
                values[i] = BitConverter.Int32BitsToSingle(absent ? -1 : random.Next(s.Images));
            }
        }
        return true;
    }
}
