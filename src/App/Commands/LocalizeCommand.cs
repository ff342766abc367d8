using System.CommandLine;
using System.Globalization;
using IlgpuNetVlad.App.Shell;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Reports;
using IlgpuNetVlad.Engine.Retrieval;
using Spectre.Console;

namespace IlgpuNetVlad.App.Commands;

/// <summary><c>localize</c></summary>
internal sealed class LocalizeCommand : AppCommand
{
    /// <summary>Lines of a table of many photographs.</summary>
    private const int MostLines = 40;

    private readonly Argument<string> index = new("index") { Description = "A file that `index` made." };
    private readonly Argument<string> photos = new("photos") { Description = "The photograph to be found, or a folder of them, or a .txt file with one path a line." };
    private readonly Option<int?> top = new("--top") { Description = "Answers of each photograph, 1 to 2048. [default: 5]", HelpName = "number" };
    private readonly Option<string> output = new("--output", "-o") { Description = "A picture of the photographs and their first answers.", HelpName = "file", DefaultValueFactory = _ => "localized.png" };
    private readonly Option<int?> batch = new("--batch") { Description = "Images of one pass at most; no result depends on it. [default: 16]", HelpName = "number" };

    public LocalizeCommand()
        : base(
            "localize",
            "Says which known places photographs show, and where those are.",
            "netvlad localize places.safetensors photo.jpg",
            "netvlad localize places.safetensors city/images/test/queries --top 3 --json")
    {
        Arguments.Add(index);
        Arguments.Add(photos);
        foreach (var option in (Option[])[top, output, batch])
            Options.Add(option);
        top.MustBe(n => n is >= 1 and <= 2048, "1 to 2048");
        batch.MustBe(n => n >= 1, "1 or more");
    }

    protected override void Run(ParseResult parsed, Session session)
    {
        string asked = parsed.GetValue(photos)!, picture = Path.GetFullPath(parsed.GetValue(output)!);
        var paths = ImageFiles.Named(asked);
        var passedOver = ImageFiles.PassedOver(asked);
        if (passedOver.Count > 0)
            session.Progress.Line($"{asked}: {ImageFiles.Told(passedOver)}");
        AtomicFile.Check(picture);
        var decoder = new SkiaImageDecoder();
        using var device = session.OpenDevice();
        using var known = PlaceIndex.Load(device, Path.GetFullPath(parsed.GetValue(index)!));
        var skipped = new List<(string Path, string Reason)>();
        var found = Localised.Of(known, paths, decoder, parsed.GetValue(top) ?? 5, parsed.GetValue(batch) ?? 16, session.Progress, session.Token, (path, reason) =>
        {
            skipped.Add((path, reason));
            session.Progress.Line($"Skipped {path}: {reason}");
        });
        LocalisedSheet.Write(picture, found.Count > LocalisedSheet.MostRows ? $"The first {LocalisedSheet.MostRows} of {found.Count} photographs" : "", found, decoder);
        session.Result(
            new
            {
                places = known.Count,
                photos = found.Select(f => new { photo = f.Photo, answers = f.Answers.Select(Document) }),
                skipped = skipped.Select(s => new { s.Path, s.Reason }),
                passedOver,
                picture,
            },
            console =>
            {
                if (found.Count == 1)
                    PrintOne(console, found[0], known.Count);
                else
                    PrintMany(console, found, known.Count);
                if (skipped.Count > 0)
                    console.WriteLine($"Warning: {skipped.Count} of {paths.Count} photographs could not be read");
                console.WriteLine($"Picture: {Shown.Path(picture)}");
            });
    }

    private static object Document(PlaceAnswer answer) => new
    {
        path = answer.Place.Path,
        answer.Similarity,
        answer.SquaredDistance,
        latitude = answer.Place.Position?.Latitude,
        longitude = answer.Place.Position?.Longitude,
        easting = answer.Place.Metres?.Easting,
        northing = answer.Place.Metres?.Northing,
    };

    private static void PrintOne(IAnsiConsole console, Localised found, int places)
    {
        console.WriteLine($"{Shown.Path(found.Photo)}, the most similar of {places} known photographs:");
        console.Write(Columns(found.Answers, ["similarity", "known photograph"], answer => [Similarity(answer), Shown.Path(answer.Place.Path)]));
        if (found.Answers[0].Place.Position is { } position)
            console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"On a map: https://www.openstreetmap.org/?mlat={position.Latitude:0.000000}&mlon={position.Longitude:0.000000}#map=18/{position.Latitude:0.00000}/{position.Longitude:0.00000}"));
    }

    private static void PrintMany(IAnsiConsole console, IReadOnlyList<Localised> found, int places)
    {
        console.WriteLine($"{found.Count} photographs, each with the most similar of {places} known ones:");
        var shown = found.Take(MostLines).ToArray();
        int row = 0;
        console.Write(Columns([.. shown.Select(f => f.Answers[0])], ["photograph", "similarity", "known photograph"],
            answer => [Shown.Name(shown[row++].Photo), Similarity(answer), Shown.Name(answer.Place.Path)]));
        if (found.Count > MostLines)
            console.WriteLine($"… and {found.Count - MostLines} more; --json has all.");
    }

    /// <summary>A table of answers; the column of positions is there if one has any.</summary>
    private static Table Columns(IReadOnlyList<PlaceAnswer> answers, string[] headings, Func<PlaceAnswer, string[]> cells)
    {
        var table = new Table().Border(TableBorder.Simple);
        bool anywhere = answers.Any(a => Position(a).Length > 0);
        foreach (string heading in anywhere ? [.. headings, "taken at"] : headings)
            table.AddColumn(heading);
        foreach (var answer in answers)
            table.AddRow([.. cells(answer).Concat(anywhere ? [Position(answer)] : []).Select(Markup.Escape)]);
        return table;
    }

    private static string Similarity(PlaceAnswer answer) => answer.Similarity.ToString("0.000", CultureInfo.InvariantCulture);

    private static string Position(PlaceAnswer answer) => answer.Place switch
    {
        { Position: { } degrees } => degrees.ToString(),
        { Metres: var (easting, northing) } => string.Create(CultureInfo.InvariantCulture, $"{easting:0.#} m E, {northing:0.#} m N"),
        _ => "",
    };
}
