using IlgpuNetVlad.Engine.Data;

namespace IlgpuNetVlad.Engine.Training;

/// <summary>Every setting of training; the defaults are those of 1511.07247 (appendix A) and its authors' code for Pitts30k.</summary>
public sealed record TrainingOptions
{
    /// <summary>First layer that learns, such as <c>conv5_1</c>, or the pooling layer's name for it alone; null trains all.</summary>
    public string? TrainFrom { get; init; }

    public LossKind Loss { get; init; } = LossKind.Weak;

    /// <summary>m of the loss and of mining, in squared L2 distance of unit vectors; above 0.</summary>
    public float Margin { get; init; } = 0.1f;

    /// <summary>Of the first epochs; above 0. The authors use 0.001 for Pitts30k and 0.0001 for Pitts250k.</summary>
    public float LearningRate { get; init; } = 0.001f;

    /// <summary>Epochs after which the learning rate halves and the refresh interval doubles; 0 never.</summary>
    public int HalveEvery { get; init; } = 5;

    /// <summary>0 … 1.</summary>
    public float Momentum { get; init; } = 0.9f;

    /// <summary>0 or more; on all trained parameters, the pooling layer's too.</summary>
    public float WeightDecay { get; init; } = 0.001f;

    /// <summary>Tuples (query, positive, negatives) of one update; 1 or more.</summary>
    public int TuplesPerBatch { get; init; } = 4;

    /// <summary>Random definite negatives that a query is compared with.</summary>
    public int RandomNegatives { get; init; } = 1000;

    /// <summary>Hardest negatives remembered for a query's next turn.</summary>
    public int RememberedNegatives { get; init; } = 10;

    /// <summary>Most violating negatives of a tuple; 1 or more.</summary>
    public int NegativesPerTuple { get; init; } = 10;

    /// <summary>Queries after which all descriptors are computed anew; they also are at the start of every epoch. 1 or more.</summary>
    public int RefreshInterval { get; init; } = 1000;

    /// <summary>The refresh interval doubles whenever the learning rate halves.</summary>
    public bool GrowRefreshInterval { get; init; } = true;

    /// <summary>Most epochs; 0 only validates.</summary>
    public int Epochs { get; init; } = 30;

    /// <summary>Epochs without a better recall@5 on the validation set after which training stops; 0 never.</summary>
    public int Patience { get; init; } = 10;

    public UpdateNormaliser Normaliser { get; init; } = UpdateNormaliser.Violating;

    /// <summary>Mirrors all images of a tuple, every other tuple at random.</summary>
    public bool Flips { get; init; }

    /// <summary>Each batch is shown at one of these sizes at random, as factors of the training size; empty for that size alone.</summary>
    public IReadOnlyList<float> Scales { get; init; } = [];

    /// <summary>
    /// Also trains with the roles swapped: a database image asks for its query among the queries. For sets with explicit truth, one picture a place and side.
    /// </summary>
    public bool SwapRoles { get; init; }

    /// <summary>
    /// Database images ask too, for their place at another time (Tokyo Time Machine's queries and database are the same images). Has no effect where times are not known.
    /// </summary>
    public bool DatabaseAsks { get; init; }

    /// <summary>Radii, and whether positives must come from another time (Time Machine).</summary>
    public DatasetRules Rules { get; init; } = new();

    /// <summary>Validation asks at most so many queries, chosen by the seed; null asks all.</summary>
    public int? ValidationQueries { get; init; }

    /// <summary>Local descriptors that clusters are sought among, and the most of one image.</summary>
    public int ClusterDescriptors { get; init; } = 50_000;

    /// <inheritdoc cref="ClusterDescriptors"/>
    public int ClusterDescriptorsPerImage { get; init; } = 100;

    public ulong Seed { get; init; } = 1;

    /// <summary>Where the frozen layers' maps are kept; results do not depend on it.</summary>
    public TrunkCacheMode TrunkCache { get; init; }

    /// <summary>They are kept in fp16, half as large: each number is rounded to 11 bits, which results do depend on.</summary>
    public bool TrunkCacheHalf { get; init; }

    /// <summary>Bytes that training may take; null: what the machine has.</summary>
    public long? MemoryLimit { get; init; }

    /// <exception cref="UserErrorException">A setting is outside of its range.</exception>
    public void Check()
    {
        Require(Margin > 0, "the margin must be above 0");
        Require(LearningRate > 0 && float.IsFinite(LearningRate), "the learning rate must be above 0");
        Require(Momentum is >= 0 and < 1, "momentum must be at least 0 and below 1");
        Require(WeightDecay >= 0, "weight decay must not be negative");
        Require(TuplesPerBatch >= 1, "a batch needs at least 1 tuple");
        Require(RandomNegatives >= 1, "at least 1 random negative is needed");
        Require(RememberedNegatives >= 0, "the number of remembered negatives must not be negative");
        Require(NegativesPerTuple >= 1, "a tuple needs at least 1 negative");
        Require(Loss != LossKind.Triplet || NegativesPerTuple == 1, "the triplet loss takes 1 negative a tuple");
        Require(RefreshInterval >= 1, "the refresh interval must be at least 1 query");
        Require(Epochs >= 0 && Patience >= 0 && HalveEvery >= 0, "numbers of epochs must not be negative");
        Require(Scales.All(s => s is > 0 and <= 4), "scales must be above 0 and at most 4");
        Require(ValidationQueries is null or >= 1, "validation needs at least 1 query");
        Require(!TrunkCacheHalf || TrunkCache != TrunkCacheMode.Off, "there is no fp16 trunk cache where the trunk cache is off");
        Require(ClusterDescriptors >= 1 && ClusterDescriptorsPerImage >= 1, "clusters need at least 1 descriptor");
    }

    private static void Require(bool holds, string otherwise)
    {
        if (!holds)
            throw new UserErrorException($"These training settings do not work: {otherwise}.");
    }
}
