using System.CommandLine;
using System.Globalization;
using IlgpuNetVlad.App.Shell;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Studies;
using Spectre.Console;

namespace IlgpuNetVlad.App.Commands;

/// <summary><c>study</c></summary>
internal sealed class StudyCommand : AppCommand
{
    private readonly Argument<string> settings = new("settings") { Description = "A JSON file: dataset or city, tests, training, and the lists to combine." };
    private readonly Option<string?> output = new("--output", "-o") { Description = "Folder of the study; default: runs/ and the settings file's name. A study that is there goes on.", HelpName = "folder" };

    public StudyCommand()
        : base(
            "study",
            "Trains and measures every combination of a settings file's lists, with several seeds, and compares them in one table.",
            "netvlad study docs/results/city.json",
            "netvlad study docs/results/sped.json --output runs/sped-study")
    {
        Arguments.Add(settings);
        Options.Add(output);
    }

    protected override void Run(ParseResult parsed, Session session)
    {
        string path = parsed.GetValue(settings)!;
        var study = StudySettings.Read(path);
        string folder = parsed.GetValue(output) ?? Path.Combine("runs", Path.GetFileNameWithoutExtension(path));
        using var device = session.OpenDevice();
        var result = new Study(study, folder, device, new SkiaImageDecoder(), session.Progress).Run(session.Token);
        var files = result.Write(folder);
        session.Result(
            new
            {
                folder = Path.GetFullPath(folder),
                tests = study.Tests.Select(t => new
                {
                    t.Name,
                    rows = result.Rows(t.Name).Select(r => new
                    {
                        r.Name, r.Queries, seeds = r.Seeds.Count,
                        recall = new[] { 1, 5, 10 }.Select(n => new { n, mean = r.Recall(n), spread = r.Spread(n), low = r.Interval(n).Low, high = r.Interval(n).High }),
                    }),
                }),
                files,
            },
            console =>
            {
                foreach (var test in study.Tests)
                {
                    var rows = result.Rows(test.Name);
                    console.WriteLine($"{study.Title}, {test.Name}: {rows[0].Queries} queries, {(study.Seeds.Count == 1 ? "1 seed" : $"{study.Seeds.Count} seeds; mean ± standard deviation")}");
                    var table = new Table().Border(TableBorder.Simple).AddColumn("");
                    foreach (int n in new[] { 1, 5, 10 })
                        table.AddColumn(new TableColumn($"recall@{n}, %").RightAligned());
                    foreach (var row in rows)
                        table.AddRow([Markup.Escape(row.Name), .. new[] { 1, 5, 10 }.Select(row.Share)]);
                    console.Write(table);
                }
                foreach (string file in files)
                    console.WriteLine($"Written: {file}");
            });
    }
}
