using System.Text.Json;
using System.Text.Json.Serialization;
using IlgpuNetVlad.Engine.Data.City;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Training;

namespace IlgpuNetVlad.Engine.Studies;

/// <summary>What a study compares, as its settings file says: one training for each combination of the lists and each seed.</summary>
public sealed record StudySettings
{
    /// <summary>Heading of its table and plots.</summary>
    public required string Title { get; init; }

    /// <summary>The set to learn from, as on the command line; null where <see cref="City"/> says which town is made for it.</summary>
    public string? Dataset { get; init; }

    /// <summary>A town that the study writes into its own folder; null where there is a <see cref="Dataset"/>.</summary>
    public CityOptions? City { get; init; }

    public string TrainingSplit { get; init; } = "train";
    public string ValidationSplit { get; init; } = "val";

    /// <summary>Splits that rotate over the whole set in place of <see cref="TrainingSplit"/> and <see cref="ValidationSplit"/>; null for none. Needs a listed truth.</summary>
    public StudyFolds? Folds { get; init; }

    /// <summary>What is measured; the first one gets the plots, the sheets and <see cref="Dimensions"/>.</summary>
    public required IReadOnlyList<StudyTest> Tests { get; init; }

    /// <summary>Backbone, weights, image size. Pooling and clusters come from the lists.</summary>
    public NetworkRequest Network { get; init; } = new();

    /// <summary>Of every training; seed, first layer and Time Machine come from the lists.</summary>
    public TrainingOptions Training { get; init; } = new();

    public IReadOnlyList<PoolingKind> Pooling { get; init; } = [PoolingKind.Max, PoolingKind.Average, PoolingKind.NetVlad];

    /// <summary>K, for poolings that have clusters.</summary>
    public IReadOnlyList<int> Clusters { get; init; } = [64];

    /// <summary>First layers that learn; null is all.</summary>
    public IReadOnlyList<string?> TrainFrom { get; init; } = [null];

    /// <summary>Whether positives must be of another time, where times are known.</summary>
    public IReadOnlyList<bool> TimeMachine { get; init; } = [true];

    public IReadOnlyList<ulong> Seeds { get; init; } = [1, 2, 3];

    /// <summary>Lengths after PCA, fitted on the training split's database; empty for none.</summary>
    public IReadOnlyList<int> Dimensions { get; init; } = [];

    public IReadOnlyList<bool> Whiten { get; init; } = [true];

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        WriteIndented = true,
    };

    /// <exception cref="UserErrorException">There is no such file, it does not say what it must, or says something unknown.</exception>
    public static StudySettings Read(string path)
    {
        if (!File.Exists(path))
            throw new UserErrorException($"There is no settings file {path}: name one such as docs/results/city.json.");
        StudySettings settings;
        try
        {
            settings = JsonSerializer.Deserialize<StudySettings>(File.ReadAllText(path), Json) ?? throw new JsonException("it is empty");
        }
        catch (JsonException e)
        {
            throw new UserErrorException($"{path} cannot be used: {e.Message.ReplaceLineEndings(" ").TrimEnd('.')}.", e);
        }
        settings.Check(path);
        return settings;
    }

    /// <summary>The same text for the same settings, however their file is written.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json) + "\n";

    /// <summary>One training each, in the order in which they run: all of a seed before the next, so that an early look sees every row.</summary>
    [JsonIgnore]
    public IReadOnlyList<StudyCell> Cells
        => [.. from seed in Seeds
               from fold in Folds is { } folds ? Enumerable.Range(1, folds.Count).Select(f => (int?)f) : [null]
               from pooling in Pooling
               from clusters in pooling.HasClusters() ? Clusters.Select(k => (int?)k) : [null]
               from layer in TrainFrom
               from timeMachine in TimeMachine
               select new StudyCell(pooling, clusters, layer, timeMachine, seed, fold)];

    private void Check(string path)
    {
        void Require(bool holds, string otherwise)
        {
            if (!holds)
                throw new UserErrorException($"{path} cannot be used: {otherwise}.");
        }
        Require(Dataset is null != City is null, "it must name either a dataset or a city");
        Require(Tests.Count > 0, "it needs at least one test");
        Require(Tests.Select(t => t.Name).Distinct().Count() == Tests.Count, "two tests have the same name");
        Require(Pooling.Count > 0 && Clusters.Count > 0 && TrainFrom.Count > 0 && TimeMachine.Count > 0 && Seeds.Count > 0 && Whiten.Count > 0, "none of its lists may be empty");
        if (Folds is { } folds)
        {
            Require(folds.Count >= 2 && folds.Validation >= 1, "it needs at least 2 folds, and at least 1 query of each for validation");
            Require(Dataset is not null, "folds need a dataset with listed truth, which a city is not");
            Require((TrainingSplit, ValidationSplit) == ("train", "val"), "folds say themselves what is learnt from and what chooses the epoch: leave trainingSplit and validationSplit out");
            Require(Tests.All(t => t.IsOfFolds || t.Dataset is not null), "with folds, a test of the set that is learnt from must have the split fold or fold/all");
        }
        else
        {
            Require(!Tests.Any(t => t.IsOfFolds), "a test has the split fold, but there are no folds");
        }
        Require(Cells.Select(c => c.Name).Distinct().Count() == Cells.Count, "a list names the same thing twice");
        Require(Dimensions.All(d => d >= 1), "lengths after PCA must be 1 or more");
        Require(Network.Pooling is null && Network.Clusters is null, "pooling and clusters belong into the study's own lists, not into its network");
        Training.Check();
    }
}
