using System.CommandLine;
using IlgpuNetVlad.App.Shell;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Retrieval;
using Spectre.Console;

namespace IlgpuNetVlad.App.Commands;

/// <summary><c>extract</c></summary>
internal sealed class ExtractCommand : AppCommand
{
    private readonly Argument<string> weights = new("weights") { Description = "A network's .safetensors file." };
    private readonly Argument<string> images = new("images") { Description = "A folder of images, one image, or a .txt file with one path a line." };
    private readonly Option<string> output = new("--output", "-o") { Description = "The .npy file; names go to a .txt of its name beside it, which must not be a file of yours.", HelpName = "file", DefaultValueFactory = _ => "descriptors.npy" };
    private readonly Option<int?> batch = new("--batch") { Description = "Images of one pass at most; no result depends on it. [default: 16]", HelpName = "number" };
    private readonly NetworkOptions network;

    public ExtractCommand()
        : base(
            "extract",
            "Describes images: one row of float32 numbers an image, as a NumPy file.",
            "netvlad extract weights/city.safetensors city/images/test/queries --output queries.npy",
            "netvlad extract weights/city.safetensors list.txt --output described.npy --json")
    {
        Arguments.Add(weights);
        Arguments.Add(images);
        Options.Add(output);
        Options.Add(batch);
        batch.MustBe(n => n >= 1, "1 or more");
        network = new(this);
    }

    protected override void Run(ParseResult parsed, Session session)
    {
        string input = parsed.GetValue(images)!;
        var paths = ImageFiles.Named(input);
        var passedOver = ImageFiles.PassedOver(input);
        if (passedOver.Count > 0)
            session.Progress.Line($"{input}: {ImageFiles.Told(passedOver)}");
        string file = Path.GetFullPath(parsed.GetValue(output)!), names = Npy.NamesOf(file);
        Npy.Check(file, input);
        using var device = session.OpenDevice();
        using var model = network.Request(parsed, parsed.GetValue(weights)).Open(device, session.Seed);
        var skipped = new List<(string Path, string Reason)>();
        int rows = Extractor.ExtractTo(
            file, model, paths, new SkiaImageDecoder(), model.Settings.Resize, parsed.GetValue(batch) ?? 16, session.Progress, session.Token,
            (path, reason) =>
            {
                skipped.Add((path, reason));
                session.Progress.Line($"Skipped {path}: {reason}");
            });
        session.Result(
            new { descriptors = file, names, rows, dimension = model.DescriptorLength, skipped = skipped.Select(s => new { s.Path, s.Reason }), passedOver },
            console =>
            {
                console.WriteLine($"{rows} descriptors of {model.DescriptorLength} numbers in {file}, names in {names}");
                if (skipped.Count > 0)
                    console.WriteLine($"Warning: {skipped.Count} of {paths.Count} images could not be read and have no row");
            });
    }
}
