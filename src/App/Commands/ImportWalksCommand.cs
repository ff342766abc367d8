using System.CommandLine;
using System.Globalization;
using IlgpuNetVlad.App.Shell;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Data.Walks;
using Spectre.Console;

namespace IlgpuNetVlad.App.Commands;

/// <summary><c>data import-walks</c></summary>
internal sealed class ImportWalksCommand : AppCommand
{
    private readonly Argument<string> films = new("walks") { Description = "A folder with frames.csv: image, level, area, sequence, frame (a second apart)." };
    private readonly Argument<string> folder = new("folder") { Description = "Where to write images.csv; the pictures stay where they are." };
    private readonly Option<int> gap = new("--gap") { Description = "Least seconds between a query and a database frame of the same walk, 2 or more.", HelpName = "seconds", DefaultValueFactory = _ => 5 };
    private readonly Option<int> block = new("--block") { Description = "Frames of the database, and of the queries, before the next gap.", HelpName = "frames", DefaultValueFactory = _ => 5 };

    public ImportWalksCommand()
        : base(
            "import-walks",
            "Makes a set out of films of walks through a building: whole levels held out, no answer a neighbour in time of its query.",
            "netvlad data import-walks tower tower-walks --gap 5")
    {
        Arguments.Add(films);
        Arguments.Add(folder);
        Options.Add(gap);
        Options.Add(block);
    }

    protected override void Run(ParseResult parsed, Session session)
    {
        int seconds = parsed.GetValue(gap), frames = parsed.GetValue(block);
        if (seconds < 2 || frames < 1)
            throw new UsageException("--gap must be 2 seconds or more, --block 1 frame or more.");
        var set = new WalkSet(parsed.GetValue(films)!, seconds, frames);
        string file = set.Write(parsed.GetValue(folder)!);
        var splits = WalkSet.Splits.Select(set.Summary).ToArray();
        session.Result(new { file, set.Images, splits }, console =>
        {
            var table = new Table().Border(TableBorder.Simple).AddColumns(
                "split", "levels", "database", "queries", "answered by another walk too", "seconds to the nearest answer of the own walk", "to all of them");
            foreach (var s in splits)
                table.AddRow(s.Split, Text(s.Levels), Text(s.Database), Text(s.Queries), Text(s.WithAnotherWalk), Text(s.NearestAnswer), Text(s.AllAnswers));
            console.Write(table);
            console.WriteLine($"Written: {file}");
        });
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Text(Spread spread) => string.Create(CultureInfo.InvariantCulture, $"{spread.Min} to {spread.Max}, median {spread.Median:0.#}");
}
