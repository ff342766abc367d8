using System.CommandLine;
using System.Globalization;
using IlgpuNetVlad.App.Shell;
using IlgpuNetVlad.Engine.Data.DbStructs;
using Spectre.Console;

namespace IlgpuNetVlad.App.Commands;

/// <summary><c>data import-dbstruct</c></summary>
internal sealed class ImportDbStructCommand : AppCommand
{
    private readonly Argument<string[]> words = new("files images output")
    {
        Description = "One or several .mat files with a dbStruct, each of another split; the folder that the images lie in; the folder to write images.csv into.", Arity = new(3, 100),
    };

    private readonly Option<string?> database = new("--database") { Description = "Folder of the database's images below that of the images; default: images, or that folder itself.", HelpName = "folder" };
    private readonly Option<string?> queries = new("--queries") { Description = "Folder of the queries below that of the images; default: queries, query or queries_real.", HelpName = "folder" };
    private readonly Option<int?> block = new("--panorama-block") { Description = "Database images in a row that were cut from one panorama; default: 12 for files named tokyo247…, else 0, for none.", HelpName = "number" };
    private readonly Option<bool> allowMissing = new("--allow-missing") { Description = "Leave out images that are listed and not there." };

    public ImportDbStructCommand()
        : base(
            "import-dbstruct",
            "Makes a set out of the benchmarks' MATLAB files (Pittsburgh, Tokyo 24/7, Tokyo Time Machine) and the images that they list, which stay where they are.",
            "netvlad data import-dbstruct pitts30k_train.mat pitts30k_val.mat pitts30k_test.mat pittsburgh pitts30k",
            "netvlad data import-dbstruct tokyo247.mat tokyo tokyo247 --queries 247query_subset_v2")
    {
        Arguments.Add(words);
        foreach (var option in (Option[])[database, queries, block, allowMissing])
            Options.Add(option);
        block.MustBe(n => n >= 0, "0 or more");
    }

    protected override void Run(ParseResult parsed, Session session)
    {
        string[] paths = parsed.GetValue(words)!;
        string folder = paths[^1];
        var import = new DbStructImport(paths[..^2], paths[^2], parsed.GetValue(database), parsed.GetValue(queries), parsed.GetValue(block));
        bool allow = parsed.GetValue(allowMissing);
        string file = import.Write(folder, allow);
        var splits = import.Splits;
        session.Result(new { file, splits }, console =>
        {
            var table = new Table().Border(TableBorder.Simple).AddColumns("split", "database", "queries", "left out", "panoramas", "capture times", "file");
            foreach (var s in splits)
                table.AddRow(Markup.Escape(s.Split), Text(s.Database), Text(s.Queries), Text(s.Missing), s.Panoramas > 0 ? Text(s.Panoramas) : "", s.Times ? "yes" : "", Markup.Escape(Path.GetFileName(s.File)));
            console.Write(table);
            foreach (var s in splits)
            {
                console.WriteLine($"{s.Split}: database in {Shown.Path(s.DatabaseFolder)}, queries in {Shown.Path(s.QueryFolder)}");
                if (s.FirstMissing is { } missing)
                    console.WriteLine($"Warning: {s.Missing} of {s.Database + s.Queries} images are not there and were left out; the first was looked for at {missing}");
                foreach (string note in s.Notes)
                    console.WriteLine($"Note: {note}");
            }
            console.WriteLine($"Written: {file}");
            console.WriteLine("Next:");
            console.WriteLine($"  {Session.Program} data inspect {folder}");
        });
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
