using System.CommandLine;
using System.Globalization;
using IlgpuNetVlad.App.Shell;
using IlgpuNetVlad.Engine.Conversion;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Kernels;
using Spectre.Console;

namespace IlgpuNetVlad.App.Commands;

/// <summary><c>convert</c></summary>
internal sealed class ConvertCommand : AppCommand
{
    private readonly Argument<string> from = new("from") { Description = "A .mat file of NetVLAD's authors (layers as structures), a .pth or .pth.tar of PyTorch's ports, or safetensors with their names." };
    private readonly Argument<string> to = new("to") { Description = "The .safetensors file to write." };
    private readonly Option<string?> resize = new("--resize") { Description = "Image size to store: native, shorter:480, longest:1024, or 480x640 (height first); default: what weights of this kind were made for.", HelpName = "size" };
    private readonly Option<string?> preprocessing = new("--preprocessing") { Description = "To store: imagenet (mean and standard deviation) or vgg (mean alone); default: what weights of this kind take.", HelpName = "imagenet|vgg" };
    private readonly Option<string?> pool = new("--pool") { Description = $"How a map becomes a descriptor, where the file has no clusters: {string.Join(", ", PoolingNames.All)}. [default: netvlad]", HelpName = "name" };

    public ConvertCommand()
        : base(
            "convert",
            "Turns weights of others, MATLAB's and PyTorch's, into a file that every command here takes. No code in them is run.",
            "netvlad convert vd16_pitts30k_struct.mat pitts30k.safetensors",
            "netvlad convert pittsburgh_WPCA4096.pth.tar patch-netvlad.safetensors")
    {
        Arguments.Add(from);
        Arguments.Add(to);
        foreach (var option in (Option[])[resize, preprocessing, pool])
            Options.Add(option);
        resize.MustBeSize();
        preprocessing.AcceptOnlyFromAmong("imagenet", "vgg");
        pool.AcceptOnlyFromAmong([.. PoolingNames.All]);
    }

    protected override void Run(ParseResult parsed, Session session)
    {
        string file = Path.GetFullPath(parsed.GetValue(to)!);
        // Numbers are moved and none computed: a GPU would be of no use.
        using var device = Device.Cpu();
        var done = new NetworkConversion
        {
            Resize = parsed.GetValue(resize) is { } size ? ResizePolicy.Parse(size) : null,
            Preprocessing = parsed.GetValue(preprocessing) switch { "imagenet" => Preprocessing.ImageNet, "vgg" => Preprocessing.Vgg, _ => null },
            Pooling = parsed.GetValue(pool) is { } name ? PoolingNames.Parse(name) : null,
        }.Run(device, parsed.GetValue(from)!, file);
        var s = done.Settings;
        session.Result(
            new
            {
                weights = file, done.Source, s.Backbone, pooling = s.Pooling.Name(), clusters = done.HasClusters && s.Pooling.HasClusters() ? s.Clusters : (int?)null, done.HasClusters, s.KeepRelu,
                floor = s.SoftFloor ? "soft" : "clamp", dimension = done.PcaLength ?? done.PooledLength, pcaFrom = done.PcaLength is null ? (int?)null : done.PooledLength, s.Preprocessing.Mean,
                s.Preprocessing.Scale, resize = s.Resize.ToString(), done.LeftOut,
            },
            console =>
            {
                var table = new Table().Border(TableBorder.Simple).AddColumns("", "").HideHeaders();
                void Row(string what, string value) => table.AddRow(Markup.Escape(what), Markup.Escape(value));
                Row("file", done.Source);
                Row("backbone", $"{s.Backbone}, {(s.KeepRelu ? "its last ReLU kept" : "cropped before its last ReLU")}");
                Row("pooling", !s.Pooling.HasClusters() ? s.Pooling.Name() : done.HasClusters ? $"{s.Pooling.Name()}, {s.Clusters} clusters" : $"{s.Pooling.Name()}, clusters still to be found: index and eval seek them in their images");
                Row("norms", s.SoftFloor ? "soft floor, √(‖v‖² + 1e-12)" : "clamped, max(‖v‖, 1e-12)");
                Row("PCA", done.PcaLength is { } length ? $"from {done.PooledLength} to {length} numbers" : "none");
                Row("preprocessing", $"mean {Text(s.Preprocessing.Mean)}, scale {Text(s.Preprocessing.Scale)} (red, green, blue in 0…255)");
                Row("image size", s.Resize.ToString());
                if (done.LeftOut.Count > 0)
                    Row("left out", string.Join("; ", done.LeftOut.Take(3)) + (done.LeftOut.Count > 3 ? $"; and {done.LeftOut.Count - 3} more" : ""));
                console.Write(table);
                console.WriteLine($"Written: {file}");
                console.WriteLine("Next:");
                console.WriteLine($"  {Session.Program} index {Shown.Path(file)} known-photographs --output places.safetensors");
            });
    }

    private static string Text(float[] numbers) => string.Join(", ", numbers.Select(n => n.ToString("0.######", CultureInfo.InvariantCulture)));
}
