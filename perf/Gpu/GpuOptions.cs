using System.Globalization;
using IlgpuNetVlad.Engine;

namespace IlgpuNetVlad.Perf.Gpu;

/// <summary>What <c>gpu</c> was asked for on the command line.</summary>
internal sealed record GpuOptions
{
    public const string Usage =
        """
        gpu [--device cuda|cpu] [--size HxW] [--batches 1,8,48] [--check-only true] [--out FOLDER]
          The GPU run book: every kernel against the processor's, times of VGG-16's convolutions, images a second, training steps a second.
          With --device cpu the same is rehearsed without a GPU; give it a small --size then.
        """;

    public bool Cuda { get; private init; } = true;
    public int Height { get; private init; } = 480;
    public int Width { get; private init; } = 640;

    /// <summary>Images at once, ascending; the last is the training step's.</summary>
    public IReadOnlyList<int> Batches { get; private init; } = [1, 8, 48];

    /// <summary>Only the comparison with the processor, for tools that make everything slow.</summary>
    public bool CheckOnly { get; private init; }

    public string Folder { get; private init; } = "gpu";

    /// <exception cref="UserErrorException">An option is not known or its value makes no sense.</exception>
    public static GpuOptions Parse(ReadOnlySpan<string> args)
    {
        var options = new GpuOptions();
        for (int i = 0; i < args.Length; i += 2)
        {
            string value = i + 1 < args.Length ? args[i + 1] : throw new UserErrorException($"{args[i]} needs a value.\n{Usage}");
            options = args[i] switch
            {
                "--device" when value is "cuda" or "cpu" => options with { Cuda = value == "cuda" },
                "--size" when Numbers(value, 'x') is [var height, var width] => options with { Height = height, Width = width },
                "--batches" when Numbers(value, ',') is { Length: > 0 } batches => options with { Batches = [.. batches.Order()] },
                "--check-only" when bool.TryParse(value, out bool only) => options with { CheckOnly = only },
                "--out" => options with { Folder = value },
                _ => throw new UserErrorException($"{args[i]} {value} is not understood.\n{Usage}"),
            };
        }
        return options;
    }

    /// <summary>Null where one is no whole number above 0.</summary>
    private static int[]? Numbers(string text, char between)
    {
        int[] numbers = [.. text.Split(between).Select(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int n) ? n : 0)];
        return numbers.Contains(0) ? null : numbers;
    }
}
