using System.CommandLine;
using System.Globalization;
using IlgpuNetVlad.App.Shell;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Reports;
using IlgpuNetVlad.Engine.Training;
using Spectre.Console;

namespace IlgpuNetVlad.App.Commands;

/// <summary><c>train</c></summary>
internal sealed class TrainCommand : AppCommand
{
    private readonly Argument<string?> dataset = new("dataset") { Description = "A folder, or a table of images; left out: the embedded city is made, learnt and tested.", Arity = ArgumentArity.ZeroOrOne };
    private readonly Option<string> split = new("--split") { Description = "Learn from this split, or these ranges of queries, such as 0-100,200-350.", HelpName = "name", DefaultValueFactory = _ => "train" };
    private readonly Option<string?> validation = new("--validation") { Description = "Choose the best epoch on this dataset, of the kind of place where the network shall work; default: the same.", HelpName = "path" };
    private readonly Option<string> validationSplit = new("--validation-split") { Description = "And on this split.", HelpName = "name", DefaultValueFactory = _ => "val" };
    private readonly Option<string?> weights = new("--weights") { Description = "Start from this network's or trunk's file; default: random weights.", HelpName = "file" };
    private readonly Option<string?> output = new("--output", "-o") { Description = "The run's folder; default: runs/ and the dataset's name.", HelpName = "folder" };
    private readonly Option<string?> resume = new("--resume") { Description = "Go on with the run in this folder, with its settings, bit for bit.", HelpName = "folder" };
    private readonly NetworkOptions network;
    private readonly TrainingSettings settings;

    public TrainCommand()
        : base(
            "train",
            "Trains NetVLAD. Without arguments it makes the embedded city, trains on it and shows what that changes.",
            "netvlad train",
            "netvlad train city --pool netvlad --clusters 32 --learning-rate 0.02 --epochs 12 --refresh 160 --output runs/mine",
            "netvlad train photos --split 0-350 --validation-split 350-400 --backbone squeezenet --weights squeezenet.safetensors --train-from fire9 --resize 160x160",
            "netvlad train --resume runs/mine")
    {
        Arguments.Add(dataset);
        foreach (var option in (Option[])[split, validation, validationSplit, weights, output, resume])
            Options.Add(option);
        network = new(this);
        settings = new(this);
        Validators.Add(result =>
        {
            string[] given = [.. result.Children.OfType<System.CommandLine.Parsing.OptionResult>().Where(o => !o.Implicit).Select(o => o.Option.Name)];
            bool hasDataset = result.GetResult(dataset) is { Implicit: false, Tokens.Count: > 0 };
            if (given.Contains(resume.Name))
            {
                if (hasDataset || given.Except([resume.Name, .. CommonOptions.All.Where(o => o != CommonOptions.Seed).Select(o => o.Name)]).Any())
                    result.AddError("--resume goes on with a run's own settings: give nothing beside it but --device, --precision, --json and --verbose.");
            }
            else if (!hasDataset && given.Intersect([split.Name, validation.Name, validationSplit.Name, weights.Name, .. network.All.Select(o => o.Name)]).FirstOrDefault() is { } needs)
            {
                result.AddError($"{needs} needs a dataset: name one, such as `netvlad train city {needs} …` after `netvlad data make-city`.");
            }
        });
    }

    protected override void Run(ParseResult parsed, Session session)
    {
        using var folder = parsed.GetValue(resume) is { } old ? RunFolder.Resume(old) : RunFolder.Create(Folder(parsed));
        var job = folder.IsResuming ? folder.ReadSettings<TrainingJob>() : Job(parsed, session.Seed);
        if (!folder.IsResuming)
            folder.WriteSettings(job);
        using var device = session.OpenDevice();
        var decoder = new SkiaImageDecoder();
        if (job.Dataset is null)
            ShowStudy(session, folder, job.RunStudy(device, folder, decoder, session.Progress, session.Token), decoder);
        else
            Show(session, folder, job, job.Run(device, folder, decoder, session.Progress, session.Token));
    }

    private string Folder(ParseResult parsed)
        => parsed.GetValue(output) ?? Path.Combine("runs", parsed.GetValue(dataset) is { } path ? Path.GetFileNameWithoutExtension(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path))) : "city");

    private TrainingJob Job(ParseResult parsed, ulong seed)
    {
        if (parsed.GetValue(dataset) is not { } path)
        {
            var study = TrainingJob.Study(Path.GetFullPath("city"), seed);
            return study with { Options = settings.Apply(parsed, study.Options) };
        }
        var start = network.Request(parsed, parsed.GetValue(weights));
        // Wrong words are told before the set is looked for: whether it is small changes none of what may be wrong.
        settings.Apply(parsed, TrainingDefaults.For(start, queries: 0));
        int queries = DatasetReader.Open(path, parsed.GetValue(split)!).Queries.Count;
        return new()
        {
            Dataset = Path.GetFullPath(path),
            TrainingSplit = parsed.GetValue(split)!,
            ValidationDataset = parsed.GetValue(validation) is { } other ? Path.GetFullPath(other) : null,
            ValidationSplit = parsed.GetValue(validationSplit)!,
            Network = start,
            Options = settings.Apply(parsed, TrainingDefaults.For(start, queries) with { Seed = seed }),
        };
    }

    private static void Show(Session session, RunFolder folder, TrainingJob job, TrainingResult result)
    {
        session.Result(
            new
            {
                folder = folder.Root,
                weights = folder.BestWeights,
                result.BestEpoch,
                result.StoppedEarly,
                result.Needs,
                epochs = result.History,
                validation = RecallTable.Document(result.Best),
                pictures = new[] { folder.TrainingPlot, folder.RecallPlot },
            },
            console =>
            {
                var start = result.History[0].Recalls;
                console.Write(RecallTable.Of("validation", [($"best epoch, {result.BestEpoch}", result.Best)], 1, 5, 10));
                console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Before training: {100 * start[1]:0.0}, {100 * start[5]:0.0}, {100 * start[10]:0.0} %"));
                if (result.StoppedEarly)
                    console.WriteLine("Stopped early: recall@5 had not improved for long.");
                console.WriteLine($"Curves: {folder.TrainingPlot}, {folder.RecallPlot}");
                Next(console, $"eval {Relative(folder.BestWeights)} {Relative(job.Dataset!)} --split test");
            });
    }

    private static void ShowStudy(Session session, RunFolder folder, CityStudyResult result, IImageDecoder decoder)
    {
        var pictures = StudyReport.Write(folder.Root, result, decoder);
        session.Result(
            new
            {
                folder = folder.Root,
                result.Weights,
                result.Training.BestEpoch,
                result.Training.Needs,
                epochs = result.Training.History,
                test = result.Rows.Select(r => new { name = r.Name, report = RecallTable.Document(r.Report) }),
                pictures = (string[])[folder.TrainingPlot, folder.RecallPlot, .. pictures],
                result.Seconds,
            },
            console =>
            {
                console.WriteLine($"The city's test quarter: {result.Test.Queries.Count} queries, {result.Test.Database.Count} database images; 95 % intervals in brackets");
                console.Write(RecallTable.Of("pooling", result.Rows, 1, 5, 10));
                console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Best epoch {result.Training.BestEpoch}, chosen on the validation quarter; {result.Seconds / 60:0.0} minutes in all."));
                console.WriteLine($"Curves: {folder.TrainingPlot}, {pictures[0]}");
                console.WriteLine($"Queries with their first answers before and after: {pictures[1]}");
                Next(
                    console,
                    $"eval {Relative(result.Weights)} city --split test --dims 256,128,64 --output measured",
                    $"index {Relative(result.Weights)} city/images/test/database --output places.safetensors",
                    "localize places.safetensors city/images/test/queries",
                    "data inspect city --output inspected",
                    "train --help");
            });
    }

    private static string Relative(string path) => Path.GetRelativePath(Environment.CurrentDirectory, path);

    private static void Next(IAnsiConsole console, params string[] commands)
    {
        console.WriteLine("Next:");
        foreach (string command in commands)
            console.WriteLine($"  {Session.Program} {command}");
    }
}
