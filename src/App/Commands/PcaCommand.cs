using System.CommandLine;
using System.Globalization;
using IlgpuNetVlad.App.Shell;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Retrieval;
using Spectre.Console;

namespace IlgpuNetVlad.App.Commands;

/// <summary><c>pca</c></summary>
internal sealed class PcaCommand : AppCommand
{
    private readonly Argument<string> weights = new("weights") { Description = "A network's .safetensors file, or a trunk's with --backbone and --pool." };
    private readonly Argument<string> dataset = new("dataset") { Description = "Its database images are used, at most 10,000 of them." };
    private readonly Option<string> split = new("--split") { Description = "Of the dataset; not the one to be tested on.", HelpName = "name", DefaultValueFactory = _ => "train" };
    private readonly Option<int?> dims = new("--dims") { Description = "Numbers of a descriptor afterwards; fewer than images.", HelpName = "number", Required = true };
    private readonly Option<bool> noWhitening = new("--no-whitening") { Description = "Project only; do not divide by the standard deviations." };
    private readonly Option<string?> output = new("--output", "-o") { Description = "The file to write; default: a new one beside the weights, of their name and --dims, such as city-128.safetensors.", HelpName = "file" };
    private readonly Option<int?> batch = new("--batch") { Description = "Images of one pass; no result depends on it. [default: 16]", HelpName = "number" };
    private readonly NetworkOptions network;

    public PcaCommand()
        : base(
            "pca",
            "Fits a PCA with whitening on descriptors of a dataset's database and stores it with the weights: descriptors become shorter and usually better.",
            "netvlad pca weights/city.safetensors city --split train --dims 128 --output city-128.safetensors",
            "netvlad pca trunk.safetensors photos --split train --dims 128 --backbone squeezenet --pool avg")
    {
        Arguments.Add(weights);
        Arguments.Add(dataset);
        foreach (var option in (Option[])[split, dims, noWhitening, output, batch])
            Options.Add(option);
        dims.MustBe(n => n >= 1, "1 or more");
        batch.MustBe(n => n >= 1, "1 or more");
        network = new(this);
    }

    protected override void Run(ParseResult parsed, Session session)
    {
        string from = parsed.GetValue(weights)!, to = parsed.GetValue(output) is { } given ? Path.GetFullPath(given) : Beside(from, parsed.GetValue(dims)!.Value);
        AtomicFile.Check(to);
        bool whiten = !parsed.GetValue(noWhitening);
        var set = DatasetReader.Open(parsed.GetValue(dataset)!, parsed.GetValue(split)!);
        set.TellPassedOver(session.Progress);
        using var device = session.OpenDevice();
        using var model = network.Request(parsed, from).Open(device, session.Seed);
        if (!model.ClustersInitialised)
            throw new UserErrorException($"{from} has no clusters yet, so there are no descriptors to fit a PCA on: train first.");
        var (pca, images) = PcaSample.Fit(
            model, set, parsed.GetValue(dims)!.Value, whiten, new SkiaImageDecoder(), parsed.GetValue(batch) ?? 16, session.Seed, session.Progress, session.Token);
        model.Pca = pca;
        model.Save(to);
        float first = pca.Eigenvalues[0], last = pca.Eigenvalues[^1];
        session.Result(
            new { weights = to, images, from = pca.InputLength, dimension = pca.OutputLength, whitened = whiten, largestEigenvalue = first, smallestEigenvalue = last },
            console =>
            {
                console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"PCA{(whiten ? " with whitening" : "")} from {pca.InputLength} to {pca.OutputLength} numbers, fitted on {images} images, eigenvalues {first:0.###e+0} to {last:0.###e+0}"));
                console.WriteLine($"Written: {to}");
                console.WriteLine("Next:");
                // Without --dims, which would measure a fresh description without this PCA too.
                console.WriteLine($"  {Session.Program} eval {to} {parsed.GetValue(dataset)} --split test");
            });
    }

    /// <summary>What is there already is overwritten only where somebody names it.</summary>
    private static string Beside(string weights, int dims)
    {
        string path = Path.Combine(
            Path.GetDirectoryName(Path.GetFullPath(weights))!, string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileNameWithoutExtension(weights)}-{dims}.safetensors"));
        return Path.Exists(path) ? throw new UserErrorException($"{path} is there already: remove it, or name the file to write with --output.") : path;
    }
}
