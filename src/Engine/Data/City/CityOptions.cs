using System.Text.Json.Serialization;

namespace IlgpuNetVlad.Engine.Data.City;

/// <summary>The quarters of the town: kilometres apart, no place in two of them.</summary>
public enum CitySplit
{
    Train,
    Val,
    Test,
}

/// <summary>What city to write. The same options give the same files on every machine.</summary>
public sealed record CityOptions
{
    /// <summary>Everything follows from it; another seed is another town.</summary>
    public uint Seed { get; init; } = 1;

    /// <summary>Pixels, 32..640, a multiple of 2.</summary>
    public int Width { get; init; } = 128;

    /// <summary>Pixels, 32..640, a multiple of 2.</summary>
    public int Height { get; init; } = 96;

    /// <summary>Metres between panoramas, 5..20; with 8 each query has two or three panoramas within 10 m and six within 25 m.</summary>
    public float Spacing { get; init; } = 8;

    /// <summary>Panoramas of four headings; each is taken on two drives.</summary>
    public int TrainPlaces { get; init; } = 336;

    public int ValPlaces { get; init; } = 50;

    public int TestPlaces { get; init; } = 125;

    public int TrainQueries { get; init; } = 960;

    public int ValQueries { get; init; } = 150;

    public int TestQueries { get; init; } = 420;

    /// <summary>
    /// The database also gets, for each query, a picture of the query's own drive, 3 to 7 m from it, as street panoramas of one drive stand in both. Without them there is no
    /// positive of a query's own time, and so no training without the Time Machine (<see cref="DatasetRules.TimeMachine"/>). Left out of files where false, as before there was
    /// the choice.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool SharedDrives { get; init; }

    /// <summary>Quality of the JPEG files, 50..100.</summary>
    public int Quality { get; init; } = 92;

    public int Places(CitySplit split) => split switch { CitySplit.Train => TrainPlaces, CitySplit.Val => ValPlaces, _ => TestPlaces };

    public int Queries(CitySplit split) => split switch { CitySplit.Train => TrainQueries, CitySplit.Val => ValQueries, _ => TestQueries };

    /// <exception cref="ArgumentOutOfRangeException">A size is out of its range.</exception>
    public void Check()
    {
        Range(Width, 32, 640, nameof(Width));
        Range(Height, 32, 640, nameof(Height));
        Range((int)Spacing, 5, 20, nameof(Spacing));
        Range(Quality, 50, 100, nameof(Quality));
        foreach (var split in Enum.GetValues<CitySplit>())
        {
            Range(Places(split), 2, 5000, $"{split}Places");
            Range(Queries(split), 0, 20000, $"{split}Queries");
        }

        static void Range(int value, int low, int high, string name)
        {
            if (value < low || value > high)
                throw new ArgumentOutOfRangeException(name, value, $"{name} must lie in {low}..{high}");
        }
    }
}
