using System.CommandLine;
using System.Globalization;
using IlgpuNetVlad.App.Shell;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Studies;
using Spectre.Console;

namespace IlgpuNetVlad.App.Commands;

/// <summary><c>study</c></summary>
internal sealed class StudyCommand : AppCommand
{
    private readonly Argument<string[]> settings = new("settings")
    {
        Description = "JSON files: dataset or city, tests, training, and the lists to combine. Several are run in turn.", Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<string?> output = new("--output", "-o")
    {
        Description = "Folder of the study, of several the folder that theirs stand in; default: runs/, in it the settings file's name. A study that is there goes on.", HelpName = "folder",
    };

    private readonly Option<string?> against = new("--against")
    {
        Description = "Folder with a table of each study's name, such as city.md for city.json, that its table must equal byte for byte.", HelpName = "folder",
    };

    public StudyCommand()
        : base(
            "study",
            "Trains and measures every combination of a settings file's lists, with several seeds, and compares them in one table.",
            "netvlad study docs/results/city.json",
            "netvlad study docs/results/sped.json --output runs/sped-study",
            "netvlad study docs/results/*.json --output repeated --against docs/results")
    {
        Arguments.Add(settings);
        Options.Add(output);
        Options.Add(against);
    }

    protected override void Run(ParseResult parsed, Session session)
    {
        string[] files = parsed.GetValue(settings)!, names = [.. files.Select(f => Path.GetFileNameWithoutExtension(f))];
        if (names.GroupBy(n => n).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new UserErrorException($"Two settings files are called {twice.Key}, whose studies would share a folder: rename one, or run them one by one.");
        string[] folders = [.. names.Select(n => parsed.GetValue(output) is { } given ? files.Length == 1 ? given : Path.Combine(given, n) : Path.Combine("runs", n))];
        string[]? kept = parsed.GetValue(against) is { } tables ? [.. names.Select(n => Path.Combine(tables, n + ".md"))] : null;
        if (kept?.FirstOrDefault(k => !File.Exists(k)) is { } missing)
            throw new UserErrorException($"There is no table {missing} to hold the study to: leave --against out, or name a folder that has it.");
        StudySettings[] read = [.. files.Select(StudySettings.Read)];
        using var device = session.OpenDevice();
        var studies = read.Select((s, i) => (Settings: s, Folder: folders[i], Study: new Study(s, folders[i], device, new SkiaImageDecoder(), session.Progress))).ToArray();
        // What is wrong with the last one is found before the first one's hours.
        foreach (var study in studies)
            study.Study.Check();
        var made = studies.Select(
            (s, i) =>
            {
                if (studies.Length > 1)
                    session.Progress.Line($"Study {i + 1} of {studies.Length}: {s.Settings.Title}");
                var result = s.Study.Run(session.Token);
                var written = result.Write(s.Folder);
                return (s.Settings, s.Folder, Result: result, Files: written, Difference: kept is null ? null : KeptTable.Difference(written[0], kept[i]));
            }).ToArray();
        object[] documents = [.. made.Select(m => new
        {
            folder = Path.GetFullPath(m.Folder),
            tests = m.Settings.Tests.Select(t => new
            {
                t.Name,
                rows = m.Result.Rows(t.Name).Select(r => new
                {
                    r.Name, r.Queries, seeds = r.Seeds.Count,
                    recall = new[] { 1, 5, 10 }.Select(n => new { n, mean = r.Recall(n), spread = r.Spread(n), low = r.Interval(n).Low, high = r.Interval(n).High }),
                }),
            }),
            files = m.Files,
            sameTable = kept is null ? (bool?)null : m.Difference is null,
        })];
        session.Result(
            documents.Length == 1 ? documents[0] : new { studies = documents },
            console =>
            {
                for (int i = 0; i < made.Length; i++)
                {
                    foreach (var test in made[i].Settings.Tests)
                        Print(console, made[i].Settings, test, made[i].Result.Rows(test.Name));
                    foreach (string file in made[i].Files)
                        console.WriteLine($"Written: {file}");
                    if (kept is not null && made[i].Difference is null)
                        console.WriteLine($"The same table byte for byte as {kept[i]}");
                }
            });
        string[] differences = [.. made.Select(m => m.Difference).OfType<string>()];
        if (differences.Length > 0)
            throw new UserErrorException(string.Join(Environment.NewLine, differences));
    }

    private static void Print(IAnsiConsole console, StudySettings study, StudyTest test, IReadOnlyList<StudyRow> rows)
    {
        console.WriteLine($"{study.Title}, {test.Name}: {rows[0].Queries} queries, {(study.Seeds.Count == 1 ? "1 seed" : $"{study.Seeds.Count} seeds; mean ± standard deviation")}");
        var table = new Table().Border(TableBorder.Simple).AddColumn("");
        foreach (int n in new[] { 1, 5, 10 })
            table.AddColumn(new TableColumn($"recall@{n}, %").RightAligned());
        foreach (var row in rows)
            table.AddRow([Markup.Escape(row.Name), .. new[] { 1, 5, 10 }.Select(row.Share)]);
        console.Write(table);
    }
}
