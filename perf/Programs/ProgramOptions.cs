using System.Globalization;
using IlgpuNetVlad.Engine;

namespace IlgpuNetVlad.Perf.Programs;

/// <summary>What <c>programs</c> was asked for on the command line.</summary>
internal sealed record ProgramOptions
{
    public const string Usage =
        """
        programs --images FOLDER [--backbone vgg16|squeezenet|alexnet] [--weights FILE] [--rounds N] [--out FOLDER] --program "NAME=COMMAND" ...
          Whole programs that describe a folder of images, from their start to their end, in turn, round after round; the others' descriptors are held against those of the first.
          In COMMAND {weights}, {images}, {output} and {threads} are filled in: it writes descriptors in the order of the images' paths, to {output} or {output}.npy, raw fp32 or as NumPy file.
          Without --weights they are random.
        """;

    public string Images { get; private init; } = "";
    public string Backbone { get; private init; } = "vgg16";
    public string? Weights { get; private init; }
    public int Rounds { get; private init; } = 3;
    public string Folder { get; private init; } = "peers";
    public IReadOnlyList<(string Name, string Command)> Programs { get; private init; } = [];

    /// <exception cref="UserErrorException">An option is not known or its value makes no sense.</exception>
    public static ProgramOptions Parse(ReadOnlySpan<string> args)
    {
        var options = new ProgramOptions();
        for (int i = 0; i < args.Length; i += 2)
        {
            string value = i + 1 < args.Length ? args[i + 1] : throw new UserErrorException($"{args[i]} needs a value.\n{Usage}");
            options = args[i] switch
            {
                "--images" => options with { Images = Path.GetFullPath(value) },
                "--backbone" when value is "vgg16" or "squeezenet" or "alexnet" => options with { Backbone = value },
                "--weights" => options with { Weights = value },
                "--rounds" when int.TryParse(value, CultureInfo.InvariantCulture, out int rounds) && rounds > 0 => options with { Rounds = rounds },
                "--out" => options with { Folder = value },
                "--program" when value.IndexOf('=') is > 0 and var at && value[(at + 1)..].Trim() is { Length: > 0 } command
                    => options with { Programs = [.. options.Programs, (value[..at], command)] },
                _ => throw new UserErrorException($"{args[i]} {value} is not understood.\n{Usage}"),
            };
        }
        return options.Images.Length > 0 && options.Programs.Count > 0 ? options : throw new UserErrorException($"--images and --program are needed.\n{Usage}");
    }
}
