using System.CommandLine;
using IlgpuNetVlad.App.Shell;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Retrieval;
using Spectre.Console;

namespace IlgpuNetVlad.App.Commands;

/// <summary><c>eval</c></summary>
internal sealed class EvalCommand : AppCommand
{
    private readonly Argument<string> weights = new("weights") { Description = "A network's .safetensors file, or a trunk's with --backbone." };
    private readonly Argument<string> dataset = new("dataset") { Description = "A folder, or a table of images." };
    private readonly Option<string?> split = new("--split") { Description = "Which part: test, all, or ranges of queries such as 0-150 or 0-100,200-350. [default: test, or the only one that there is]", HelpName = "name" };
    private readonly Option<string?> dims = new("--dims") { Description = "Also measure descriptors cut to these lengths after PCA: 512,128,64.", HelpName = "list" };
    private readonly Option<bool> noWhitening = new("--no-whitening") { Description = "Fit the PCA of --dims without whitening." };
    private readonly Option<string?> pcaDataset = new("--pca-dataset") { Description = "Fit the PCA of --dims on this dataset's database; default: the dataset itself.", HelpName = "path" };
    private readonly Option<string> pcaSplit = new("--pca-split") { Description = "Fit it on this split.", HelpName = "name", DefaultValueFactory = _ => "train" };
    private readonly Option<bool> panoramas = new("--panoramas") { Description = "Count each database panorama once, by its best cutout (Tokyo 24/7); images that name none must be blocks of 12 at one position." };
    private readonly Option<bool> timesOfDay = new("--times-of-day") { Description = "Also report day, sunset and night apart, of three queries a place in this order (Tokyo 24/7)." };
    private readonly Option<string> sameTime = new("--same-time") { Description = "Answers taken at the query's own time: drop them, as Tokyo Time Machine and the city are scored, or keep them.", HelpName = "keep|drop", DefaultValueFactory = _ => "drop" };
    private readonly Option<double?> testRadius = new("--test-radius") { Description = "Right answers lie within. [default: 25]", HelpName = "metres" };
    private readonly Option<bool> wholeQuery = new("--whole-query") { Description = "Of retrieval sets: ask with whole images where the set gives regions." };
    private readonly Option<string?> output = new("--output", "-o") { Description = "A folder for the curves, as PNG.", HelpName = "folder" };
    private readonly Option<int?> batch = new("--batch") { Description = "Images of one pass; no result depends on it. [default: 16]", HelpName = "number" };
    private readonly NetworkOptions network;

    public EvalCommand()
        : base(
            "eval",
            "Measures recall@N of weights on a dataset, or mean average precision on a retrieval set (Oxford5k, Paris6k, Holidays), and the curve over dimensions after PCA.",
            "netvlad eval weights/city.safetensors city --split test --dims 256,128,64 --output measured",
            "netvlad eval trunk.safetensors photos --split all --backbone squeezenet --pool max",
            "netvlad eval whitened.safetensors oxford5k --dims 256")
    {
        Arguments.Add(weights);
        Arguments.Add(dataset);
        foreach (var option in (Option[])[split, dims, noWhitening, pcaDataset, pcaSplit, panoramas, timesOfDay, sameTime, testRadius, wholeQuery, output, batch])
            Options.Add(option);
        dims.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && Lengths(result.Tokens[0].Value) is null)
                result.AddError($"--dims '{result.Tokens[0].Value}' must be whole numbers of 1 or more with commas between, such as 512,128,64.");
        });
        batch.MustBe(n => n >= 1, "1 or more");
        sameTime.AcceptOnlyFromAmong("keep", "drop");
        testRadius.MustBe(r => r > 0 && double.IsFinite(r), "more than 0");
        network = new(this);
    }

    protected override void Run(ParseResult parsed, Session session)
    {
        if (RetrievalSetReader.IsOne(parsed.GetValue(dataset)!))
        {
            MeasureRetrieval(parsed, session);
            return;
        }
        if (parsed.GetValue(wholeQuery))
            throw new UsageException($"--whole-query is of retrieval sets, and {parsed.GetValue(dataset)} is none: leave it out.");
        string? folder = parsed.GetValue(output);
        if (folder is not null)
            EvaluationResult.CheckPlots(folder);
        string set = parsed.GetValue(dataset)!, part = parsed.GetValue(split) ?? UsualSplit(set, session);
        using var device = session.OpenDevice();
        var result = new EvaluationJob
        {
            Network = network.Request(parsed, parsed.GetValue(weights)),
            Dataset = set,
            Split = part,
            Dimensions = parsed.GetValue(dims) is { } list ? Lengths(list)! : [],
            PcaDataset = parsed.GetValue(pcaDataset),
            PcaSplit = parsed.GetValue(pcaSplit)!,
            Whiten = !parsed.GetValue(noWhitening),
            Batch = parsed.GetValue(batch) ?? 16,
            TestRadius = parsed.GetValue(testRadius),
            Options = new(PanoramaRule: parsed.GetValue(panoramas), DropSameTime: parsed.GetValue(sameTime) == "drop"),
            TimesOfDay = parsed.GetValue(timesOfDay),
            Seed = session.Seed,
        }.Run(device, new SkiaImageDecoder(), session.Progress, session.Token);
        var files = folder is not null ? result.WritePlots(folder) : [];
        var rows = Rows(result, parsed.GetValue(timesOfDay));
        var skipped = result.Described.Skipped;
        session.Result(
            new
            {
                dataset = result.Described.Set.Name,
                split = result.Described.Set.Split,
                database = result.Described.Set.Database.Count,
                testRadius = result.Described.Set.HasExplicitTruth ? (double?)null : result.Described.Set.Rules.TestRadius,
                sameTime = new { rule = parsed.GetValue(sameTime), inForce = result.Report.SameTime is not null, queriesTouched = result.Report.SameTime ?? 0 },
                backbone = result.Settings.Backbone,
                pooling = result.Settings.Pooling.Name(),
                resize = result.Settings.Resize.ToString(),
                result.ClustersFound,
                rows = rows.Select(r => new { name = r.Name, report = RecallTable.Document(r.Report) }),
                skipped = skipped.Select(s => new { s.Path, s.Reason }),
                result.Described.UnreadableQueries,
                result.Described.Set.PassedOver,
                files,
            },
            console =>
            {
                var described = result.Described.Set;
                string unread = result.Described.UnreadableQueries is > 0 and var n ? $" ({n} more could not be read and do not count)" : "";
                console.WriteLine($"{described.Name}, {described.Split}: {described.Queries.Count} queries{unread}, {described.Database.Count} database images, size {result.Settings.Resize}; 95 % intervals in brackets");
                console.Write(RecallTable.Of("descriptor", rows, 1, 5, 10, 20));
                if (result.Report.WithoutTruth is > 0 and var missed)
                    console.WriteLine($"{missed} quer{(missed == 1 ? "y has" : "ies have")} no right answer in the database and count{(missed == 1 ? "s" : "")} as missed.");
                if (result.Report.SameTime is { } touched)
                    console.WriteLine($"Answers taken at the query's own time were left out, of {touched} quer{(touched == 1 ? "y" : "ies")} (--same-time keep counts them).");
                if (result.ClustersFound)
                    console.WriteLine("The weights had no clusters; they were sought on this database.");
                if (skipped.Count > 0)
                    console.WriteLine($"Warning: {skipped.Count} images could not be read and were left out; the first is {skipped[0].Path}: {skipped[0].Reason}");
                foreach (string file in files)
                    console.WriteLine($"Written: {file}");
            });
    }

    private void MeasureRetrieval(ParseResult parsed, Session session)
    {
        foreach (var option in (Option[])[split, noWhitening, pcaDataset, pcaSplit, panoramas, timesOfDay, sameTime, testRadius, output])
            if (parsed.GetResult(option) is { Implicit: false })
                throw new UsageException($"{option.Name} says nothing about {parsed.GetValue(dataset)}, which is a retrieval set: leave it out.");
        using var device = session.OpenDevice();
        var result = new RetrievalJob
        {
            Network = network.Request(parsed, parsed.GetValue(weights)),
            Set = parsed.GetValue(dataset)!,
            Dimensions = parsed.GetValue(dims) is { } list ? Lengths(list)! : [],
            WholeQuery = parsed.GetValue(wholeQuery),
            Batch = parsed.GetValue(batch) ?? 16,
            Seed = session.Seed,
        }.Run(device, new SkiaImageDecoder(), session.Progress, session.Token);
        session.Result(
            new
            {
                set = result.Set.Name,
                images = result.Set.Images.Count,
                queries = result.Set.Queries.Count,
                wholeQuery = parsed.GetValue(wholeQuery),
                backbone = result.Settings.Backbone,
                pooling = result.Settings.Pooling.Name(),
                resize = result.Settings.Resize.ToString(),
                result.ClustersFound,
                rows = result.ByDimension.Select(d => new
                {
                    dimension = d.Dimension,
                    meanAveragePrecision = d.Precisions.Average(),
                    averagePrecisions = d.Precisions.Zip(result.Set.Queries, (precision, query) => new { query = query.Name, precision }),
                }),
                skipped = result.Skipped.Select(s => new { s.Path, s.Reason }),
                missing = result.Set.Missing,
                result.LostQueries,
            },
            console =>
            {
                console.WriteLine($"{result.Set.Name}: {result.Set.Queries.Count} queries, {result.Set.Images.Count} images, size {result.Settings.Resize}");
                var table = new Table().Border(TableBorder.Simple).AddColumn("descriptor").AddColumn(new TableColumn("mean average precision, %").RightAligned());
                foreach (var (dimension, precisions) in result.ByDimension)
                    table.AddRow(Markup.Escape($"{result.Settings.Pooling.Name()}, {dimension} numbers"), (100 * precisions.Average()).ToString("0.0", System.Globalization.CultureInfo.InvariantCulture));
                console.Write(table);
                if (result.ClustersFound)
                    console.WriteLine("The weights had no clusters; they were sought in this set.");
                if (result.Skipped.Count > 0)
                    console.WriteLine($"Warning: {result.Skipped.Count} images could not be read and were left out, {result.LostQueries} queries with them; the first is {result.Skipped[0].Path}: {result.Skipped[0].Reason}");
            });
    }

    /// <summary>Nobody need name the only split of a set.</summary>
    private static string UsualSplit(string dataset, Session session)
    {
        const string usual = "test";
        if (DatasetReader.Splits(dataset) is not [var only] || only == usual)
            return usual;
        session.Progress.Line($"{dataset} has one split, {only}, which is taken.");
        return only;
    }

    private static List<(string Name, RecallReport Report)> Rows(EvaluationResult result, bool timesOfDay)
    {
        var rows = new List<(string, RecallReport)> { ($"{result.Settings.Pooling.Name()}, {result.DescriptorLength} numbers", result.Report) };
        if (timesOfDay)
        {
            var (day, sunset, night) = result.Report.ByTimeOfDay(result.Described.QueryNumbers);
            rows.AddRange([("  day", day), ("  sunset", sunset), ("  night", night)]);
        }
        rows.AddRange(result.ByDimension.Select(d => ($"{d.Dimension} after PCA", d.Report)));
        return rows;
    }

    /// <summary>Null where it is no list of lengths.</summary>
    private static int[]? Lengths(string text)
    {
        var found = text.Split(',').Select(part => int.TryParse(part, out int length) && length >= 1 ? length : 0).ToArray();
        return found.Contains(0) ? null : found;
    }
}
