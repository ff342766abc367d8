using System.CommandLine;
using System.Globalization;
using IlgpuNetVlad.App.Shell;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Data;
using Spectre.Console;

namespace IlgpuNetVlad.App.Commands;

/// <summary><c>data inspect</c></summary>
internal sealed class InspectCommand : AppCommand
{
    private readonly Argument<string> dataset = new("dataset") { Description = "A folder, or a table of images." };
    private readonly Option<string?> split = new("--split") { Description = "One split, or ranges of queries such as 0-100 or 0-50,80-100; every split where none is named.", HelpName = "name" };
    private readonly Option<string?> output = new("--output", "-o") { Description = "A folder for a map and a sheet of sample triples, as PNG.", HelpName = "folder" };
    private readonly Option<bool> decodeAll = new("--decode-all") { Description = "Decode every image, not only its header: finds those that were cut off." };

    public InspectCommand()
        : base(
            "inspect",
            "Counts images, positives and negatives of a set, and draws a map and sample triples.",
            "netvlad data inspect city --split train --output inspected")
    {
        Arguments.Add(dataset);
        Options.Add(split);
        Options.Add(output);
        Options.Add(decodeAll);
    }

    protected override void Run(ParseResult parsed, Session session)
    {
        string path = parsed.GetValue(dataset)!;
        var decoder = new SkiaImageDecoder();
        IReadOnlyList<string> splits = parsed.GetValue(split) is { } one ? [one] : DatasetReader.Splits(path);
        string? folder = parsed.GetValue(output);
        if (folder is not null)
            foreach (var (map, triples) in splits.Select(s => Pictures(folder, s)))
            {
                AtomicFile.Check(map);
                AtomicFile.Check(triples);
            }
        var found = new List<(string Split, DataInspection Inspection, string[] Pictures)>();
        foreach (string name in splits)
        {
            var inspection = DataInspection.Of(DatasetReader.Open(path, name), decoder, parsed.GetValue(decodeAll), session.Progress, session.Token);
            found.Add((name, inspection, folder is not null ? Draw(inspection, folder, name, decoder) : []));
        }
        session.Result(new { dataset = path, splits = found.Select(f => Document(f.Split, f.Inspection, f.Pictures)) }, console =>
        {
            foreach (var (name, inspection, pictures) in found)
                Print(console, name, inspection, pictures);
        });
        if (found.Select(f => f.Inspection.Refusal).FirstOrDefault(r => r is not null) is { } refusal)
            throw new UserErrorException(refusal);
    }

    private static string[] Draw(DataInspection inspection, string folder, string split, IImageDecoder decoder)
    {
        var (map, triples) = Pictures(folder, split);
        bool drawn = inspection.WriteMap(map);
        inspection.WriteTriples(triples, decoder);
        return drawn ? [map, triples] : [triples];
    }

    private static (string Map, string Triples) Pictures(string folder, string split) => (Path.Combine(folder, $"{split}-map.png"), Path.Combine(folder, $"{split}-triples.png"));

    private static object Document(string split, DataInspection i, string[] pictures) => new
    {
        split,
        database = i.Set.Database.Count,
        queries = i.Set.Queries.Count,
        i.Answers,
        i.Positives,
        i.Negatives,
        i.QueriesWithoutAnswer,
        i.QueriesWithoutPositive,
        i.QueriesWithoutNegative,
        i.Sizes,
        badImages = i.BadImages.Select(b => new { b.Path, b.Reason }),
        i.Set.PassedOver,
        i.Times,
        period = i.Period is var (first, last) ? new { first, last } : null,
        i.ImagesWithoutTime,
        i.Panoramas,
        extent = i.Extent is var (east, north) ? new { east, north } : null,
        i.Refusal,
        pictures,
    };

    private static void Print(IAnsiConsole console, string split, DataInspection i, string[] pictures)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumns($"split {Markup.Escape(split)}", "");
        table.HideHeaders().Title($"{Markup.Escape(i.Set.Name)}, split {Markup.Escape(split)}");
        void Row(string name, string value) => table.AddRow(Markup.Escape(name), Markup.Escape(value));
        Row("database images", Text(i.Set.Database.Count));
        Row("queries", Text(i.Set.Queries.Count));
        Row("right answers a query", Text(i.Answers));
        Row("training positives a query", Text(i.Positives));
        Row("definite negatives a query", Text(i.Negatives));
        Row("queries without any answer", Text(i.QueriesWithoutAnswer));
        Row("queries without a training positive", Text(i.QueriesWithoutPositive));
        Row("queries without a negative", Text(i.QueriesWithoutNegative));
        Row("image sizes, height×width", string.Join(", ", i.Sizes.Take(5).Select(s => $"{s.Images} of {s.Height}×{s.Width}")) + (i.Sizes.Count > 5 ? ", …" : ""));
        if (i.Extent is var (east, north))
            Row("extent", string.Create(CultureInfo.InvariantCulture, $"{east:0} m from west to east, {north:0} m from south to north"));
        if (i.Period is var (first, last))
            Row("capture times", string.Create(CultureInfo.InvariantCulture, $"{i.Times} from {first:yyyy-MM-dd} to {last:yyyy-MM-dd}, {i.ImagesWithoutTime} images without"));
        if (i.Panoramas > 0)
            Row("panoramas in the database", Text(i.Panoramas));
        Row("images that cannot be used", Text(i.BadImages.Count));
        console.Write(table);
        foreach (var (path, reason) in i.BadImages.Take(10))
            console.WriteLine($"  {path}: {reason}");
        if (i.BadImages.Count > 10)
            console.WriteLine($"  … and {i.BadImages.Count - 10} more");
        foreach (string picture in pictures)
            console.WriteLine($"Written: {picture}");
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Text(Spread spread)
        => string.Create(CultureInfo.InvariantCulture, $"{spread.Min} to {spread.Max}, median {spread.Median:0.#}");
}
