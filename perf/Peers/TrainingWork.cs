using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Training;

namespace IlgpuNetVlad.Perf.Peers;

/// <summary>The update that engines are compared by: VGG-16 with NetVLAD, 4 tuples of a query, a positive and 10 negatives, the weakly supervised ranking loss.</summary>
internal static class TrainingWork
{
    public const string Backbone = "vgg16";

    public const int Tuples = 4, Negatives = 10, Images = Tuples * (2 + Negatives);

    /// <summary>Squared distances of unit vectors are at most this: every triplet violates, every image takes the way back.</summary>
    public const float Margin = 4;

    /// <summary>Large enough that one update moves weights by far more than their rounding, so that updates can be compared.</summary>
    public const float LearningRate = 0.1f;

    /// <param name="trainFrom">First layer that learns.</param>
    public static TrainingOptions Options(string trainFrom) => new()
    {
        TrainFrom = trainFrom,
        TuplesPerBatch = Tuples,
        NegativesPerTuple = Negatives,
        Margin = Margin,
        LearningRate = LearningRate,
        Normaliser = UpdateNormaliser.Violating,
    };

    /// <summary>Tuple t holds images 12t to 12t + 11.</summary>
    public static TrainingBatch Batch()
    {
        const int each = Images / Tuples;
        return TrainingBatch.Of(
            [.. Enumerable.Range(0, Tuples).Select(t => new TrainingTuple(t * each, t * each + 1, [.. Enumerable.Range(t * each + 2, Negatives)], Flip: false))], Negatives, scale: 0);
    }
}
