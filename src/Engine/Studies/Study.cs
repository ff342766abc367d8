using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Data.City;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Reports;
using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Engine.Training;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Engine.Studies;

/// <summary>
/// Runs a study in a folder of its own: a run folder for each cell, its measurements in <c>measurements.json</c> beside its weights once it is done. Started again, it leaves finished
/// cells alone and resumes the one that was interrupted; so it does with settings whose lists grew, such as by a seed.
/// But for training logs nothing in it tells the time: the same settings give the same files on the same device.
/// </summary>
public sealed class Study
{
    private const string Finished = "measurements.json";

    private readonly StudySettings settings;
    private readonly string folder;
    private readonly Device device;
    private readonly IImageDecoder decoder;
    private readonly IProgressSink progress;

    /// <exception cref="UserErrorException">The folder holds a study with other settings.</exception>
    public Study(StudySettings settings, string folder, Device device, IImageDecoder decoder, IProgressSink progress)
    {
        (this.settings, this.folder, this.device, this.decoder, this.progress) = (settings, Path.GetFullPath(folder), device, decoder, progress);
        if (File.Exists(Kept) && StudyGrowth.Between(StudySettings.Read(Kept), settings).Differences is { Count: > 0 } differences)
            throw new UserErrorException($"{folder} holds a study with other settings ({string.Join("; ", differences)}), whose results would not fit to these: name another folder with --output.");
    }

    private string Kept => Path.Combine(folder, "settings.json");

    /// <summary>Finds what can be wrong with its sets and files before anything is trained. A town's own splits are checked once it is rendered, by <see cref="Run"/>.</summary>
    /// <exception cref="UserErrorException">A set or the trunk's weights are missing, there is nothing to learn or to test, or the folder cannot be written.</exception>
    public void Check()
    {
        if (settings.Network.Weights is { } weights && !File.Exists(weights))
            throw new UserErrorException($"{settings.Title} starts from the weights {weights}, and there is no such file: put it there, or run the study in the folder where it stands.");
        AtomicFile.Check(Kept);
        if (settings.Dataset is { } dataset)
            Check(Path.GetFullPath(dataset));
    }

    /// <exception cref="OperationCanceledException">Finished cells, and the checkpoint of the one at work, stay for the next time.</exception>
    public StudyResult Run(CancellationToken token = default)
    {
        // All that can be wrong is found before the first hour, not after it.
        Check();
        string dataset = settings.Dataset is { } path ? Path.GetFullPath(path) : Town(token);
        if (settings.Dataset is null)
            Check(dataset);
        var cells = settings.Cells;
        var splits = SplitsOf(dataset);
        Keep();
        var measurements = new List<StudyMeasurement>();
        var watch = Stopwatch.StartNew();
        int made = 0;
        for (int i = 0; i < cells.Count; i++)
        {
            string file = Path.Combine(CellFolder(cells[i]), Finished);
            if (!File.Exists(file))
            {
                string left = made == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $", about {watch.Elapsed.TotalMinutes / made * (cells.Count - i):0} minutes left");
                progress.Line($"Cell {i + 1} of {cells.Count}: {cells[i].Trained}, {cells[i].Turn}{left}");
                // Cells of a seed that differ in training alone share their start.
                bool measureStart = !measurements.Any(m => m.Row == cells[i].Start && (m.Seed, m.Fold) == (cells[i].Seed, cells[i].Fold));
                var its = splits.Single(s => s.Fold == cells[i].Fold).Splits;
                AtomicFile.WriteText(file, JsonSerializer.Serialize(Make(cells[i], dataset, its, measureStart, token)) + "\n");
                made++;
            }
            // Where the grid grew by a cell that comes before this one, both have measured their start.
            measurements.AddRange(Read(file).ExceptBy(measurements.Select(m => m.Key), m => m.Key));
        }
        return new(settings, measurements);
    }

    private static StudyMeasurement[] Read(string file)
    {
        try
        {
            return JsonSerializer.Deserialize<StudyMeasurement[]>(File.ReadAllText(file))!;
        }
        catch (JsonException e)
        {
            throw new UserErrorException($"{file} is damaged ({e.Message.TrimEnd('.')}): delete it, and the cell is measured again.", e);
        }
    }

    /// <summary>Writes what the folder is of from now on. Cells that lack measurements which are new among the settings are measured anew; what they trained stays.</summary>
    private void Keep()
    {
        if (File.Exists(Kept) && StudyGrowth.Between(StudySettings.Read(Kept), settings).MeasuresMore)
            foreach (var cell in settings.Cells)
                if (File.Exists(Path.Combine(CellFolder(cell), Finished)))
                    File.Delete(Path.Combine(CellFolder(cell), Finished));
        AtomicFile.WriteText(Kept, settings.ToJson());
    }

    private StudySplits Splits(int? fold, string dataset)
        => fold is { } f ? settings.Folds!.Of(f, DatasetReader.Open(dataset, DatasetReader.All).Queries.Count) : new(settings.TrainingSplit, settings.ValidationSplit, null);

    private (int? Fold, StudySplits Splits)[] SplitsOf(string dataset) => [.. settings.Cells.Select(c => c.Fold).Distinct().Select(fold => (fold, Splits(fold, dataset)))];

    private void Check(string dataset)
    {
        foreach (var fold in SplitsOf(dataset))
            Check(fold.Splits, dataset);
    }

    /// <exception cref="UserErrorException">There is nothing to learn or to test, or a fold learns from places that it tests.</exception>
    private void Check(StudySplits splits, string dataset)
    {
        foreach (bool timeMachine in settings.TimeMachine)
            DatasetReader.Open(dataset, splits.Training, settings.Training.Rules with { TimeMachine = timeMachine }).CheckTraining();
        DatasetReader.Open(dataset, splits.Validation).Check();
        foreach (var test in settings.Tests)
            DatasetReader.Open(Of(test, dataset), test.In(splits)).Check();
        if (splits.Test is not { } tested)
            return;
        string[] Known(string split) => [.. DatasetReader.Open(dataset, split).Database.Select(d => d.Path)];
        if (Known(splits.Training).Concat(Known(splits.Validation)).Intersect(Known(tested)).FirstOrDefault() is { } shared)
            throw new UserErrorException(
                $"{dataset} cannot be cut into {settings.Folds!.Count} folds: {shared} answers queries on both sides of a cut, so that a fold would test a place that it had learnt; "
                + "choose ranges of queries yourself, with a gap between them.");
    }

    private string CellFolder(StudyCell cell) => Path.Combine(folder, "cells", cell.Name);

    private static string Of(StudyTest test, string dataset) => test.Dataset is { } other ? Path.GetFullPath(other) : dataset;

    private string Town(CancellationToken token)
    {
        string town = Path.Combine(folder, "city");
        progress.Begin("Rendering the city", 0, "pictures");
        CityWriter.Write(town, settings.City!, (done, _) => progress.Advance(done), token);
        return town;
    }

    private List<StudyMeasurement> Make(StudyCell cell, string dataset, StudySplits splits, bool measureStart, CancellationToken token)
    {
        var job = new TrainingJob
        {
            Dataset = dataset,
            TrainingSplit = splits.Training,
            ValidationSplit = splits.Validation,
            Network = settings.Network with
            {
                Pooling = cell.Pooling, Clusters = cell.Clusters, Weights = settings.Network.Weights is { } weights ? Path.GetFullPath(weights) : null,
            },
            Options = settings.Training with { Seed = cell.Seed, TrainFrom = cell.TrainFrom, Rules = settings.Training.Rules with { TimeMachine = cell.TimeMachine } },
        };
        string path = CellFolder(cell), start, best;
        using (var run = File.Exists(Path.Combine(path, "settings.json")) ? RunFolder.Resume(path) : RunFolder.Create(path))
        {
            if (!run.IsResuming)
                run.WriteSettings(job);
            job.Run(device, run, decoder, progress, token);
            (start, best) = (run.StartWeights, run.BestWeights);
        }
        var found = new List<StudyMeasurement>();
        for (int i = 0; i < settings.Tests.Count; i++)
        {
            var test = settings.Tests[i];
            var before = measureStart ? Measure(found, start, cell.Start, cell, test, i == 0, dataset, splits, token) : null;
            var after = Measure(found, best, cell.Trained, cell, test, i == 0, dataset, splits, token);
            if (i == 0)
                Sheets(path, $"{settings.Title}, {test.Name}", cell, before, after);
        }
        return found;
    }

    private EvaluationResult Measure(
        List<StudyMeasurement> to, string weights, string row, StudyCell cell, StudyTest test, bool first, string dataset, StudySplits splits, CancellationToken token)
    {
        EvaluationJob Job(bool whiten, IReadOnlyList<int> dimensions) => new()
        {
            Network = new NetworkRequest { Weights = weights }, Dataset = Of(test, dataset), Split = test.In(splits), Dimensions = dimensions,
            PcaDataset = dataset, PcaSplit = splits.Training, Whiten = whiten, Seed = cell.Seed, Batch = 32,
        };
        EvaluationResult? whole = null;
        if (first && settings.Dimensions.Count > 0)
            foreach (bool whiten in settings.Whiten)
            {
                whole = Job(whiten, Shorter(weights)).Run(device, decoder, progress, token);
                to.AddRange(whole.ByDimension.Select(d => StudyMeasurement.Of(row, test.Name, d.Dimension, whiten, cell, d.Report)));
            }
        whole ??= Job(whiten: false, []).Run(device, decoder, progress, token);
        to.Add(StudyMeasurement.Of(row, test.Name, 0, false, cell, whole.Report));
        return whole;
    }

    /// <summary>A global pooling has fewer numbers than NetVLAD: only lengths that its descriptors reach.</summary>
    private int[] Shorter(string weights)
    {
        using var network = Network.Load(device, weights);
        return [.. settings.Dimensions.Where(d => d <= network.PooledLength)];
    }

    /// <param name="before">Null where another cell of the same start measured it.</param>
    private void Sheets(string path, string title, StudyCell cell, EvaluationResult? before, EvaluationResult after)
    {
        static bool[] Right(RecallReport report) => [.. report.FirstHit.Select(rank => rank == 1)];
        string trained = $"{title}: {cell.Trained}, {cell.Turn}";
        var set = after.Described.Set;
        FailureSheet.Write(Path.Combine(path, "failures-after.png"), trained, set, after.Report, decoder);
        if (before is null)
            return;
        FailureSheet.Write(Path.Combine(path, "failures-before.png"), $"{title}: {cell.Start}, {cell.Turn}", set, before.Report, decoder);
        var right = (Before: Right(before.Report), After: Right(after.Report));
        AnswerSheet.Write(
            Path.Combine(path, "answers.png"), $"{trained}: {QuerySample.Tally(right.Before, right.After)}", set, QuerySample.Proportional(right.Before, right.After, 10),
            [new("before training", before.Report.Answers), new("after training", after.Report.Answers)], decoder);
    }
}
