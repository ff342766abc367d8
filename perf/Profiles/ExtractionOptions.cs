using System.Globalization;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Models;

namespace IlgpuNetVlad.Perf.Profiles;

/// <summary>What <c>extraction</c> was asked for on the command line.</summary>
internal sealed record ExtractionOptions
{
    public const string Usage =
        """
        extraction --images FOLDER [--backbone vgg16] [--pool netvlad] [--clusters 64] [--resize native] [--batch N] [--rounds N]
          Decoding alone, the network alone, and `extract` of the same files, in turn, each on all cores; weights are random.
        """;

    public NetworkSettings Network { get; private init; } = NetworkSettings.For("vgg16");
    public string Images { get; private init; } = "";
    public ResizePolicy Resize { get; private init; } = ResizePolicy.Native;
    public int Batch { get; private init; } = 16;
    public int Rounds { get; private init; } = 5;

    /// <exception cref="UserErrorException">An option is not known or its value makes no sense.</exception>
    public static ExtractionOptions Parse(ReadOnlySpan<string> args)
    {
        var options = new ExtractionOptions();
        for (int i = 0; i < args.Length; i += 2)
        {
            string value = i + 1 < args.Length ? args[i + 1] : throw new UserErrorException($"{args[i]} needs a value.\n{Usage}");
            options = args[i] switch
            {
                "--images" => options with { Images = value },
                "--backbone" => options with { Network = NetworkSettings.For(value) with { Pooling = options.Network.Pooling, Clusters = options.Network.Clusters } },
                "--pool" => options with { Network = options.Network with { Pooling = PoolingNames.Parse(value) } },
                "--clusters" => options with { Network = options.Network with { Clusters = Positive(value) } },
                "--resize" => options with { Resize = ResizePolicy.Parse(value) },
                "--batch" => options with { Batch = Positive(value) },
                "--rounds" => options with { Rounds = Positive(value) },
                _ => throw new UserErrorException($"{args[i]} {value} is not understood.\n{Usage}"),
            };
        }
        return options.Images.Length > 0 ? options : throw new UserErrorException($"Name a folder of images.\n{Usage}");
    }

    private static int Positive(string value)
        => int.TryParse(value, CultureInfo.InvariantCulture, out int number) && number > 0 ? number : throw new UserErrorException($"{value} is not a number above 0.");
}
