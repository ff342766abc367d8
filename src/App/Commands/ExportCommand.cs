using System.CommandLine;
using System.Globalization;
using IlgpuNetVlad.App.Shell;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Onnx;
using Spectre.Console;

namespace IlgpuNetVlad.App.Commands;

/// <summary><c>export</c></summary>
internal sealed class ExportCommand : AppCommand
{
    private readonly Argument<string> weights = new("weights") { Description = "A network's .safetensors file, or a trunk's with --backbone and --pool." };
    private readonly Argument<string> output = new("output") { Description = "The .onnx file to write." };
    private readonly Option<string?> size = new("--size") { Description = "The one size of images that it is to take, for runtimes that want to know it; default: any.", HelpName = "HxW" };
    private readonly NetworkOptions network;

    public ExportCommand()
        : base(
            "export",
            "Writes a network as ONNX for other runtimes: images [N,3,H,W] in 0…255 to descriptors [N,d]; preprocessing and PCA are part of it, resizing is not.",
            "netvlad export weights/city.safetensors city.onnx",
            "netvlad export weights/city.safetensors city.onnx --size 96x128")
    {
        Arguments.Add(weights);
        Arguments.Add(output);
        Options.Add(size);
        network = new(this);
        size.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && Size(result.Tokens[0].Value) is null)
                result.AddError($"--size {result.Tokens[0].Value} is not understood: give rows and columns, such as 480x640.");
        });
    }

    protected override void Run(ParseResult parsed, Session session)
    {
        string from = parsed.GetValue(weights)!, to = Path.GetFullPath(parsed.GetValue(output)!);
        AtomicFile.Check(to);
        var (height, width) = parsed.GetValue(size) is { } text ? Size(text)!.Value : (0, 0);
        using var device = session.OpenDevice();
        using var model = network.Request(parsed, from).Open(device, session.Seed);
        OnnxExport.Write(model, to, height, width);
        string shape = height > 0 ? $"{height}, {width}" : "H, W";
        session.Result(
            new { onnx = to, input = "image", output = "descriptor", dimension = model.DescriptorLength, height, width, resize = model.Settings.Resize.ToString() },
            console =>
            {
                console.WriteLine($"Written: {to}");
                console.WriteLine($"  image [N, 3, {shape}], red, green, blue in 0…255 → descriptor [N, {model.DescriptorLength}]");
                console.WriteLine($"  this network was made for images resized {model.Settings.Resize}");
            });
    }

    /// <summary>Null where it is no size.</summary>
    private static (int Height, int Width)? Size(string text)
        => text.Split('x') is [var rows, var columns]
            && int.TryParse(rows, NumberStyles.None, CultureInfo.InvariantCulture, out int height) && height > 0
            && int.TryParse(columns, NumberStyles.None, CultureInfo.InvariantCulture, out int width) && width > 0 ? (height, width) : null;
}
