using System.Globalization;
using IlgpuNetVlad.Engine;

namespace IlgpuNetVlad.Perf.Peers;

/// <summary>What <c>peers</c> was asked for on the command line.</summary>
internal sealed record PeerOptions
{
    public const string Usage =
        """
        peers [--work trunk|vgg16|squeezenet|alexnet|search] [--size HxW] [--search 6816x10000x4096x25] [--rounds N] [--weights FILE] [--against ours|fp64] [--out FOLDER] --peer "NAME=COMMAND" ...
          One image, ours and each peer in turn, round after round: VGG-16 up to conv5_3 (trunk), or from pixels in 0…255 to the descriptor by NetVLAD of 64 clusters.
          Or (search) the nearest descriptors of a database: queries, database, dimensions, answers.
          COMMAND starts a process that answers 'go' (perf/Peers/PeerProcess.cs tells how); in it {weights}, {onnx}, {height}, {width}, {threads} are filled in, for search {database}, {queries}, {dimensions}, {depth}, {threads}.
          Without --weights they are random. Errors are told against ours, or against sums in fp64, which take minutes for large images.
        """;

    /// <summary>A backbone's name for its descriptors; trunk for VGG-16's maps; search.</summary>
    public string Work { get; private init; } = Trunk;

    public const string Trunk = "trunk", Search = "search";

    /// <summary>Of <see cref="Search"/>.</summary>
    public SearchSize SearchSize { get; private init; } = new(6816, 10000, 4096, 25);

    public int Height { get; private init; } = 480;
    public int Width { get; private init; } = 640;
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
                "--work" when value is Trunk or "vgg16" or "squeezenet" or "alexnet" or Search => options with { Work = value },
                "--search" => options with { SearchSize = SearchSize.Parse(value) },
                "--size" => options.WithSize(value),
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

    /// <summary>A peer's command with the run's values in it.</summary>
    public string Filled(string command, string weights, string onnx, int threads) => command
        .Replace("{weights}", weights)
        .Replace("{onnx}", onnx)
        .Replace("{height}", Height.ToString(CultureInfo.InvariantCulture))
        .Replace("{width}", Width.ToString(CultureInfo.InvariantCulture))
        .Replace("{threads}", threads.ToString(CultureInfo.InvariantCulture));

    private PeerOptions WithSize(string value)
    {
        string[] sides = value.Split('x');
        return sides.Length == 2 ? this with { Height = Positive(sides[0]), Width = Positive(sides[1]) } : throw new UserErrorException($"--size is such as 480x640, not {value}.");
    }

    private static int Positive(string value)
        => int.TryParse(value, CultureInfo.InvariantCulture, out int number) && number > 0 ? number : throw new UserErrorException($"{value} is not a number above 0.");
}
