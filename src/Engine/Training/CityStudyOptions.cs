using IlgpuNetVlad.Engine.Data.City;
using IlgpuNetVlad.Engine.Models;

namespace IlgpuNetVlad.Engine.Training;

/// <summary>What <see cref="CityStudy"/> does; the defaults take a few minutes on two cores and were chosen on the city's validation split alone.</summary>
public sealed record CityStudyOptions
{
    public CityOptions City { get; init; } = new();

    /// <summary>The network, trained from scratch.</summary>
    public NetworkSettings Network { get; init; } = new() { Clusters = 32 };

    public TrainingOptions Training { get; init; } = TrainingDefaults.FromRandomWeights;
}
