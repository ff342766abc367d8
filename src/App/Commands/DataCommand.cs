using System.CommandLine;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Data.City;
using Spectre.Console;

namespace IlgpuNetVlad.App.Commands;

/// <summary><c>data make-city</c> and <c>data inspect</c>.</summary>
internal static class DataCommand
{
    private static readonly Option<string> CityFolder = new("--output", "-o") { Description = "The folder to make; made whole or not at all.", DefaultValueFactory = _ => "city" };
    private static readonly Argument<string> Set = new("dataset") { Description = "A folder in one of the known layouts, or an images.csv." };
    private static readonly Option<string> Split = new("--split") { Description = "train, val, test, all, or a range of queries such as 0-350; default: every split." };
    private static readonly Option<string> Pictures = new("--output", "-o") { Description = "Folder for the map and the sheet of triples.", DefaultValueFactory = _ => "inspect" };
    private static readonly Option<bool> Decode = new("--decode") { Description = "Decode every image instead of reading its header: finds files that were cut off." };

    public static Command Create()
    {
        var city = new Command("make-city", "Renders the embedded city: streets seen at several dates, from noon to night. The same bits on every machine for a seed.\n\nExample: netvlad data make-city --output city --seed 1") { CityFolder };
        CommandRun.Bind(city, MakeCity);
        var inspect = new Command("inspect", "Counts a dataset's images, positives and negatives, and draws a map and sample triples.\n\nExample: netvlad data inspect city --split train --output inspect") { Set, Split, Pictures, Decode };
        CommandRun.Bind(inspect, Inspect);
        return new Command("data", "Makes the embedded city; looks at datasets.\n\nExample: netvlad data inspect city --split test") { city, inspect };
    }

    private static void MakeCity(CommandRun run)
    {
        string folder = run.Get(CityFolder)!;
        var options = new CityOptions { Seed = checked((uint)run.Seed) };
        bool existed = CityWriter.Exists(folder, options);
        run.Progress.Begin("Rendering the city", 0, "pictures");
        int images = CityWriter.Write(folder, options, (done, total) => run.Progress.Advance(done), run.Token);
        run.Print(new { Folder = Path.GetFullPath(folder), options.Seed, Images = images, Existed = existed },
            () => Console.WriteLine(existed ? $"{folder} already holds this city: {images} pictures." : $"{images} pictures in {folder}. Look at them: netvlad data inspect {folder}"));
    }

    private static void Inspect(CommandRun run)
    {
        string path = run.Get(Set), output = run.Get(Pictures)!;
        var decoder = new SkiaImageDecoder();
        IReadOnlyList<string> splits = run.Get(Split) is { } named ? [named] : DatasetReader.Splits(path);
        var found = new List<(DataInspection Inspection, string? Map, string Triples)>();
        foreach (string split in splits)
        {
            var inspection = DataInspection.Of(DatasetReader.Open(path, split), decoder, run.Get(Decode), run.Progress, run.Token);
            Directory.CreateDirectory(output);
            string map = Path.Combine(output, $"{split}-map.png"), triples = Path.Combine(output, $"{split}-triples.png");
            bool drawn = inspection.WriteMap(map);
            if (inspection.BadImages.Count == 0)
                inspection.WriteTriples(triples, decoder);
            found.Add((inspection, drawn ? map : null, triples));
        }
        run.Print(found.Select(f => new
        {
            f.Inspection.Set.Name, f.Inspection.Set.Split, Database = f.Inspection.Set.Database.Count, Queries = f.Inspection.Set.Queries.Count,
            f.Inspection.Answers, f.Inspection.Positives, f.Inspection.Negatives, f.Inspection.QueriesWithoutAnswer, f.Inspection.QueriesWithoutPositive, f.Inspection.QueriesWithoutNegative,
            f.Inspection.Sizes, BadImages = f.Inspection.BadImages.Select(b => new { b.Path, b.Reason }), f.Inspection.Times, f.Inspection.Panoramas, f.Inspection.Refusal, f.Map, f.Triples,
        }).ToArray(), () => Show(found));
        // A set that training would refuse is a failure of the inspection too, told after all that was found.
        if (found.Select(f => f.Inspection.Refusal).OfType<string>().FirstOrDefault() is { } refusal)
            throw new Engine.UserErrorException(refusal);
    }

    private static void Show(List<(DataInspection Inspection, string? Map, string Triples)> found)
    {
        var table = CommandRun.Table(["", .. found.Select(f => f.Inspection.Set.Split)]);
        void Row(string name, Func<DataInspection, string> value) => table.AddRow([Markup.Escape(name), .. found.Select(f => Markup.Escape(value(f.Inspection)))]);
        Row("database images", i => $"{i.Set.Database.Count}");
        Row("queries", i => $"{i.Set.Queries.Count}");
        Row("image sizes (h×w)", i => string.Join(", ", i.Sizes.Take(3).Select(s => $"{s.Height}×{s.Width} ({s.Images})")));
        Row("unreadable images", i => $"{i.BadImages.Count}");
        Row("right answers a query (min, median, max)", i => Text(i.Answers));
        Row("potential positives a query", i => Text(i.Positives));
        Row("definite negatives a query", i => Text(i.Negatives));
        Row("queries without an answer", i => $"{i.QueriesWithoutAnswer}");
        Row("queries without a positive", i => $"{i.QueriesWithoutPositive}");
        Row("queries without a negative", i => $"{i.QueriesWithoutNegative}");
        Row("capture times", i => i.Period is { } p ? $"{i.Times}, {p.First:yyyy-MM-dd} to {p.Last:yyyy-MM-dd}" : "none");
        Row("panoramas", i => $"{i.Panoramas}");
        Row("extent", i => i.Extent is { } e ? $"{e.East:0} × {e.North:0} m" : "no positions");
        AnsiConsole.Write(table);
        foreach (var (inspection, map, triples) in found)
        {
            foreach (var (path, reason) in inspection.BadImages.Take(10))
                Console.WriteLine($"{path}: {reason}");
            if (map is not null)
                Console.WriteLine($"map: {map}");
            if (File.Exists(triples))
                Console.WriteLine($"sample triples: {triples}");
        }
    }

    private static string Text(Spread spread) => $"{spread.Min}, {spread.Median:0.#}, {spread.Max}";
}
