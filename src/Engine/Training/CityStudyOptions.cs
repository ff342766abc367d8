using IlgpuNetVlad.Engine.Data.City;
using IlgpuNetVlad.Engine.Models;

namespace IlgpuNetVlad.Engine.Training;

/// <summary>What <see cref="CityStudy"/> does; the defaults take a few minutes on two cores and were chosen on the city's validation split alone.</summary>
public sealed record CityStudyOptions
{
    public CityOptions City { get; init; } = new();

    /// <summary>The network, trained from scratch.</summary>
    public NetworkSettings Network { get; init; } = new() { Clusters = 32 };

    /// <summary>
    /// A trunk from scratch needs an easier lesson than a pretrained one: database images ask too (the same view at its other date is an easy positive), negatives are the
    /// hardest of a few random ones only (with the hardest of all, every descriptor collapses to one point), and the margin is wide.
    /// </summary>
    public TrainingOptions Training { get; init; } = new()
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
}
