using System.CommandLine;
using IlgpuNetVlad.App.Shell;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Retrieval;
using Spectre.Console;

namespace IlgpuNetVlad.App.Commands;

/// <summary><c>index</c></summary>
internal sealed class IndexCommand : AppCommand
{
    private readonly Argument<string> weights = new("weights") { Description = "A network's .safetensors file, or a trunk's with --backbone; with --add an index." };
    private readonly Argument<string> photos = new("photos") { Description = "Photographs of known places: a folder, one image, or a .txt file with one path a line." };
    private readonly Option<string> output = new("--output", "-o") { Description = "The index, one file with the network in it.", HelpName = "file", DefaultValueFactory = _ => "places.safetensors" };
    private readonly Option<bool> add = new("--add") { Description = "Keep the places that the given file knows, and add these photographs." };
    private readonly Option<int?> batch = new("--batch") { Description = "Images of one pass at most; no result depends on it. [default: 16]", HelpName = "number" };
    private readonly NetworkOptions network;

    public IndexCommand()
        : base(
            "index",
            "Makes known photographs searchable: `localize` then says which of them a new one resembles most, and where that was taken.",
            "netvlad index weights/city.safetensors city/images/test/database --output places.safetensors",
            "netvlad index vgg16.safetensors holidays --backbone vgg16 --resize longest:640 --output holidays.safetensors",
            "netvlad index holidays.safetensors more --add --output holidays.safetensors")
    {
        Arguments.Add(weights);
        Arguments.Add(photos);
        foreach (var option in (Option[])[output, add, batch])
            Options.Add(option);
        batch.MustBe(n => n >= 1, "1 or more");
        network = new(this);
    }

    protected override void Run(ParseResult parsed, Session session)
    {
        string file = Path.GetFullPath(parsed.GetValue(output)!);
        using var device = session.OpenDevice();
        var result = new IndexJob
        {
            Network = network.Request(parsed, parsed.GetValue(weights)),
            Photos = parsed.GetValue(photos)!,
            Output = file,
            Add = parsed.GetValue(add),
            Batch = parsed.GetValue(batch) ?? 16,
            Seed = session.Seed,
        }.Run(device, new SkiaImageDecoder(), session.Progress, session.Token);
        session.Result(
            new
            {
                index = file,
                result.Places,
                result.Positions,
                result.Dimension,
                backbone = result.Settings.Backbone,
                pooling = result.Settings.Pooling.Name(),
                resize = result.Settings.Resize.ToString(),
                result.ClustersFound,
                result.KnownBefore,
                skipped = result.Skipped.Select(s => new { s.Path, s.Reason }),
                result.PassedOver,
            },
            console =>
            {
                console.WriteLine($"{result.Places} places in {file}, {result.Positions} of them with a position; {result.Settings.Pooling.Name()}, {result.Dimension} numbers, size {result.Settings.Resize}");
                if (result.KnownBefore > 0)
                    console.WriteLine($"{result.KnownBefore} photographs were known already.");
                if (result.Skipped.Count > 0)
                    console.WriteLine($"Warning: {result.Skipped.Count} photographs could not be read and were left out; the first is {result.Skipped[0].Path}: {result.Skipped[0].Reason}");
                console.WriteLine("Next:");
                console.WriteLine($"  {Session.Program} localize {Shown.Path(file)} PHOTOGRAPH");
            });
    }
}
