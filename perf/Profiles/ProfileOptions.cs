using System.Globalization;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Models;

namespace IlgpuNetVlad.Perf.Profiles;

/// <summary>What <c>profile</c> was asked for on the command line.</summary>
internal sealed record ProfileOptions
{
    public const string Usage =
        """
        profile [--backbone vgg16] [--pool netvlad] [--clusters 64] [--size HxW] [--batch N] [--train-from LAYER] [--satisfied N] [--rounds N] [--device cpu|cuda[:N]] [--out FILE]
          The time of each operation of one extraction, or with --train-from of one training step, medians over the rounds; weights and images are random.
          --batch: images, 1 if not given, of a training step 12, one tuple.
          --satisfied: images of the batch, spread over it, whose triplets have no loss.
        """;

    /// <summary>Images of a tuple: the query, its positive, ten negatives.</summary>
    public const int Tuple = 12;

    public NetworkSettings Network { get; private init; } = NetworkSettings.For("vgg16");
    public int Height { get; private init; } = 480;
    public int Width { get; private init; } = 640;
    public int Batch { get; private init; }
    public string? TrainFrom { get; private init; }

    /// <summary>Images whose descriptors get no gradient.</summary>
    public int Satisfied { get; private init; }

    public int Rounds { get; private init; } = 5;
    public string Device { get; private init; } = "cpu";

    /// <summary>Of the table as Markdown; null prints only.</summary>
    public string? File { get; private init; }

    /// <exception cref="UserErrorException">An option is not known or its value makes no sense.</exception>
    public static ProfileOptions Parse(ReadOnlySpan<string> args)
    {
        var options = new ProfileOptions();
        for (int i = 0; i < args.Length; i += 2)
        {
            string value = i + 1 < args.Length ? args[i + 1] : throw new UserErrorException($"{args[i]} needs a value.\n{Usage}");
            options = args[i] switch
            {
                "--backbone" => options with { Network = NetworkSettings.For(value) with { Pooling = options.Network.Pooling, Clusters = options.Network.Clusters } },
                "--pool" => options with { Network = options.Network with { Pooling = PoolingNames.Parse(value) } },
                "--clusters" => options with { Network = options.Network with { Clusters = Positive(value) } },
                "--size" when value.Split('x') is [var rows, var columns] => options with { Height = Positive(rows), Width = Positive(columns) },
                "--batch" => options with { Batch = Positive(value) },
                "--train-from" => options with { TrainFrom = value },
                "--satisfied" => options with { Satisfied = Positive(value) },
                "--rounds" => options with { Rounds = Positive(value) },
                "--device" => options with { Device = value },
                "--out" => options with { File = value },
                _ => throw new UserErrorException($"{args[i]} {value} is not understood.\n{Usage}"),
            };
        }
        if (options.Batch == 0)
            options = options with { Batch = options.TrainFrom is null ? 1 : Tuple };
        if (options.TrainFrom is not null && options.Batch < 3)
            throw new UserErrorException($"--batch {options.Batch} is no tuple: a training step takes 3 images or more: a query, its positive, negatives.");
        return options;
    }

    private static int Positive(string value)
        => int.TryParse(value, CultureInfo.InvariantCulture, out int number) && number > 0 ? number : throw new UserErrorException($"{value} is not a number above 0.");
}
