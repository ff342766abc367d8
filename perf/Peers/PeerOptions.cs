using System.Globalization;
using IlgpuNetVlad.Engine;

namespace IlgpuNetVlad.Perf.Peers;

/// <summary>What <c>peers</c> was asked for on the command line.</summary>
internal sealed record PeerOptions
{
    public const string Usage =
        """
        peers [--work trunk|vgg16|squeezenet|alexnet|train-conv1_1|train-conv5_1|search|pca] [--size HxW] [--batch N] [--search 6816x10000x4096x25] [--pca 10000x32768x4096] [--rounds N] [--weights FILE] [--against ours|fp64] [--out FOLDER] --peer "NAME=COMMAND" ...
          Ours and each peer in turn, round after round, each in a process of its own: images through VGG-16 up to conv5_3 (trunk), or from pixels in 0…255 to descriptors by NetVLAD of 64 clusters;
          updates of VGG-16 with NetVLAD by 48 images (train-, and the first layer that learns); or (search) the nearest descriptors of a database: queries, database, dimensions, answers;
          or (pca) principal components: descriptors, dimensions, components.
          COMMAND starts a process that answers 'go' (perf/Peers/PeerProcess.cs tells how); perf/README.md lists what is filled in for {threads}, {weights} and others.
          Without --weights they are random. Errors are told against ours, or against sums in fp64, which take minutes for large images.
        """;

    /// <summary>One of <see cref="ComparedNetwork.Names"/>, <see cref="Search"/>, <see cref="Pca"/>, or <see cref="Train"/> and a layer.</summary>
    public string Work { get; private init; } = ComparedNetwork.Trunk;

    public const string Search = "search", Pca = "pca", Train = "train-";

    /// <summary>Of <see cref="Search"/>.</summary>
    public SearchSize SearchSize { get; private init; } = new(6816, 10000, 4096, 25);

    /// <summary>Of <see cref="Pca"/>.</summary>
    public PcaSize PcaSize { get; private init; } = new(10000, 32768, 4096);

    public int Height { get; private init; } = 480;
    public int Width { get; private init; } = 640;

    /// <summary>Images of one run; a training step has its own number.</summary>
    public int Batch { get; private init; } = 1;

    public int Rounds { get; private init; } = 7;
    public string? Weights { get; private init; }

    /// <summary>Results are held against sums in fp64 instead of against ours.</summary>
    public bool AgainstFp64 { get; private init; }

    public string Folder { get; private init; } = "peers";
    public IReadOnlyList<(string Name, string Command)> Peers { get; private init; } = [];

    /// <exception cref="UserErrorException">An option is not known or its value makes no sense.</exception>
    public static PeerOptions Parse(ReadOnlySpan<string> args)
    {
        var options = new PeerOptions();
        for (int i = 0; i < args.Length; i += 2)
        {
            string value = i + 1 < args.Length ? args[i + 1] : throw new UserErrorException($"{args[i]} needs a value.\n{Usage}");
            options = args[i] switch
            {
                "--work" when value is Search or Pca or Train + "conv1_1" or Train + "conv5_1" || ComparedNetwork.Names.Contains(value) => options with { Work = value },
                "--search" => options with { SearchSize = SearchSize.Parse(value) },
                "--pca" => options with { PcaSize = PcaSize.Parse(value) },
                "--size" => options.WithSize(value),
                "--batch" => options with { Batch = Positive(value) },
                "--rounds" => options with { Rounds = Positive(value) },
                "--weights" => options with { Weights = value },
                "--against" when value is "ours" or "fp64" => options with { AgainstFp64 = value == "fp64" },
                "--out" => options with { Folder = value },
                "--peer" when value.IndexOf('=') is > 0 and var at && value[(at + 1)..].Trim() is { Length: > 0 } command
                    => options with { Peers = [.. options.Peers, (value[..at], command)] },
                _ => throw new UserErrorException($"{args[i]} {value} is not understood.\n{Usage}"),
            };
        }
        return options;
    }

    private PeerOptions WithSize(string value)
    {
        string[] sides = value.Split('x');
        return sides.Length == 2 ? this with { Height = Positive(sides[0]), Width = Positive(sides[1]) } : throw new UserErrorException($"--size is such as 480x640, not {value}.");
    }

    private static int Positive(string value)
        => int.TryParse(value, CultureInfo.InvariantCulture, out int number) && number > 0 ? number : throw new UserErrorException($"{value} is not a number above 0.");
}
