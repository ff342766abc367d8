using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Training;

/// <summary>
/// Everything that a training run was asked for; stands in its folder as <c>settings.json</c>, so that the folder alone is enough to resume it.
/// </summary>
public sealed record TrainingJob
{
    /// <summary>Absolute path of the set to learn from; null is the study of the embedded city.</summary>
    public string? Dataset { get; init; }

    public string TrainingSplit { get; init; } = "train";

    /// <summary>Absolute path of the set to choose the best epoch on; null for <see cref="Dataset"/>.</summary>
    public string? ValidationDataset { get; init; }

    public string ValidationSplit { get; init; } = "val";

    /// <summary>Where the study's city is, or will be, written.</summary>
    public string CityFolder { get; init; } = "city";

    public NetworkRequest Network { get; init; } = new();

    public TrainingOptions Options { get; init; } = new();

    /// <summary>The study with all that it leaves to be chosen: another seed is another town, and other random numbers in training.</summary>
    public static TrainingJob Study(string cityFolder, ulong seed)
    {
        var options = new CityStudyOptions();
        return new() { CityFolder = cityFolder, Options = options.Training with { Seed = seed } };
    }

    /// <summary>Starts or resumes the run of the folder on a dataset.</summary>
    /// <exception cref="UserErrorException">Data, weights and settings do not fit, or the memory is too small.</exception>
    /// <exception cref="OperationCanceledException">A checkpoint was written.</exception>
    public TrainingResult Run(Device device, RunFolder folder, IImageDecoder decoder, IProgressSink progress, CancellationToken token = default)
    {
        string path = Dataset ?? throw new InvalidOperationException("The study has no dataset to run on.");
        var training = DatasetReader.Open(path, TrainingSplit, Options.Rules);
        training.TellPassedOver(progress);
        training.CheckTraining();
        var validation = DatasetReader.Open(ValidationDataset ?? path, ValidationSplit, Options.Rules);
        // Ranges of one listed truth share their folders.
        if (ValidationDataset is not null || !validation.HasExplicitTruth)
            validation.TellPassedOver(progress);
        validation.Check();
        using var network = folder.IsResuming && File.Exists(folder.StartWeights)
            ? Models.Network.Load(device, folder.StartWeights)
            : Network.Open(device, Options.Seed);
        return new Trainer(network, training, validation, decoder, network.Settings.Resize, Options, folder, progress).Run(token);
    }

    /// <summary>Starts or resumes the study.</summary>
    /// <inheritdoc cref="Run"/>
    public CityStudyResult RunStudy(Device device, RunFolder folder, IImageDecoder decoder, IProgressSink progress, CancellationToken token = default)
    {
        var options = new CityStudyOptions { Training = Options };
        if (Options.Seed > uint.MaxValue)
            throw new UserErrorException($"The seed {Options.Seed} is too large for a city: give 0 to {uint.MaxValue}.");
        return CityStudy.Run(device, CityFolder, folder, options with { City = options.City with { Seed = (uint)Options.Seed } }, decoder, progress, token);
    }
}
