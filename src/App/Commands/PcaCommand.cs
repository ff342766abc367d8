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
    private readonly Argument<string> weights = new("weights") { Description = "A network's .safetensors file." };
    private readonly Argument<string> dataset = new("dataset") { Description = "Its database images are used, at most 10,000 of them." };
    private readonly Option<string> split = new("--split") { Description = "Of the dataset; not the one to be tested on.", HelpName = "name", DefaultValueFactory = _ => "train" };
    private readonly Option<int?> dims = new("--dims") { Description = "Numbers of a descriptor afterwards; fewer than images.", HelpName = "number", Required = true };
    private readonly Option<bool> noWhitening = new("--no-whitening") { Description = "Project only; do not divide by the standard deviations." };
    private readonly Option<string?> output = new("--output", "-o") { Description = "The file to write; default: the weights themselves.", HelpName = "file" };
    private readonly Option<int?> batch = new("--batch") { Description = "Images of one pass; no result depends on it. [default: 16]", HelpName = "number" };

    public PcaCommand()
        : base(
            "pca",
            "Fits a PCA with whitening on descriptors of a dataset's database and stores it with the weights: descriptors become shorter and usually better.",
            "netvlad pca weights/city.safetensors city --split train --dims 128 --output city-128.safetensors")
    {
        Arguments.Add(weights);
        Arguments.Add(dataset);
        foreach (var option in (Option[])[split, dims, noWhitening, output, batch])
            Options.Add(option);
        dims.MustBe(n => n >= 1, "1 or more");
        batch.MustBe(n => n >= 1, "1 or more");
    }

    protected override void Run(ParseResult parsed, Session session)
    {
        string from = parsed.GetValue(weights)!, to = Path.GetFullPath(parsed.GetValue(output) ?? from);
        AtomicFile.Check(to);
        bool whiten = !parsed.GetValue(noWhitening);
        var set = DatasetReader.Open(parsed.GetValue(dataset)!, parsed.GetValue(split)!);
        using var device = session.OpenDevice();
        using var network = Engine.Models.Network.Load(device, from);
        if (!network.ClustersInitialised)
            throw new UserErrorException($"{from} has no clusters yet, so there are no descriptors to fit a PCA on: train first.");
        var (pca, images) = PcaSample.Fit(
            network, set, parsed.GetValue(dims)!.Value, whiten, new SkiaImageDecoder(), parsed.GetValue(batch) ?? 16, session.Seed, session.Progress, session.Token);
        network.Pca = pca;
        network.Save(to);
        float first = pca.Eigenvalues[0], last = pca.Eigenvalues[^1];
        session.Result(
            new { weights = to, images, from = pca.InputLength, dimension = pca.OutputLength, whitened = whiten, largestEigenvalue = first, smallestEigenvalue = last },
            console =>
            {
                console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"PCA{(whiten ? " with whitening" : "")} from {pca.InputLength} to {pca.OutputLength} numbers, fitted on {images} images, eigenvalues {first:0.###e+0} to {last:0.###e+0}"));
                console.WriteLine($"Written: {to}");
                console.WriteLine("Next:");
                console.WriteLine($"  {Session.Program} eval {to} {parsed.GetValue(dataset)} --split test --dims {pca.OutputLength}");
            });
    }
}
