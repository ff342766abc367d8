using IlgpuNetVlad.Engine.Models;

namespace IlgpuNetVlad.Engine.Training;

/// <summary>
/// Settings for sets that the paper's do not suit, as docs/results found them; <see cref="TrainingOptions"/> itself has the paper's, which are for a trunk that knows photographs and for thousands
/// of queries.
/// </summary>
public static class TrainingDefaults
{
    /// <summary>Queries up to which a set is small: the paper describes all images anew after so many.</summary>
    public const int SmallSet = 1000;

    /// <summary>
    /// From random weights. Such a trunk needs an easier lesson than a pretrained one: database images ask too (the same view at its other date is an easy positive), negatives are the hardest of a
    /// few random ones only (with the hardest of all, every descriptor collapses to one point), and the margin is wide. Chosen on the embedded city's validation split.
    /// </summary>
    public static TrainingOptions FromRandomWeights { get; } = new()
    {
        DatabaseAsks = true,
        RandomNegatives = 20,
        RememberedNegatives = 0,
        NegativesPerTuple = 10,
        Margin = 0.5f,
        LearningRate = 0.002f,
        HalveEvery = 4,
        Epochs = 7,
        RefreshInterval = 400,
        GrowRefreshInterval = false,
        Patience = 0,
    };

    /// <summary>From a pretrained network on few queries: 20 epochs came to no more than 6, with descriptors anew as often in an epoch as in the paper.</summary>
    public static TrainingOptions Few { get; } = new() { Epochs = 6, RefreshInterval = 120 };

    /// <param name="start">Of the network.</param>
    /// <param name="queries">Of the training split.</param>
    public static TrainingOptions For(NetworkRequest start, int queries) => start.Weights is null ? FromRandomWeights : queries <= SmallSet ? Few : new();
}
