using System.Globalization;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Gpu;

/// <summary>What of the run book is wanted.</summary>
internal enum GpuPart
{
    /// <summary>Checks and times.</summary>
    All,

    /// <summary>Only the comparison with the processor.</summary>
    Check,

    /// <summary>The process that compares, which <see cref="All"/> and <see cref="Check"/> start: as often as a kernel ends it.</summary>
    Compare,

    /// <summary>The process that takes times, likewise.</summary>
    Times,

    /// <summary>Prints what ncu is to be asked for.</summary>
    Metrics,

    /// <summary>Each kernel once, for ncu and compute-sanitizer.</summary>
    Launch,

    /// <summary>Our counts beside ncu's.</summary>
    Counters,
}

/// <summary>What <c>gpu</c> was asked for on the command line.</summary>
internal sealed record GpuOptions
{
    public const string Usage =
        """
        gpu [--device cuda|cpu] [--size HxW] [--batches 1,8,48] [--seconds 210] [--row-seconds 20] [--only NAMES] [--torch SCRIPT] [--out FOLDER]
        gpu --part check|metrics|launch|counters [--ncu CSV] [--device cuda|cpu] [--out FOLDER]
          The GPU run book: every kernel against the processor's, images a second and training steps a second with PyTorch's in turn, times of VGG-16's convolutions.
          What has not begun after --seconds stands in the report as not measured; what takes longer than --row-seconds (a time: three times that) is ended and stands there as such.
          --only takes operations with one of these in their names (gram,convolution.forward), and leaves out the rates. --part check compares kernels alone; launch runs each once, for ncu and
          compute-sanitizer; counters writes what we count in their PTX beside ncu's table. With --device cpu the same is rehearsed without a GPU; give it a small --size then.
        """;

    private string[] words = [];

    public bool Cuda { get; private init; } = true;
    public int Height { get; private init; } = 480;
    public int Width { get; private init; } = 640;

    /// <summary>Images at once, ascending; the last is the training step's.</summary>
    public IReadOnlyList<int> Batches { get; private init; } = [1, 8, 48];

    /// <summary>Measurements begin within so many seconds.</summary>
    public int Seconds { get; private init; } = 210;

    /// <summary>So long one comparison may take before it counts as one that never ends.</summary>
    public int RowSeconds { get; private init; } = 20;

    /// <summary>Parts of the names of wanted operations; empty for all.</summary>
    public IReadOnlyList<string> Only { get; private init; } = [];

    /// <summary>torch_times.py; null for no rows of PyTorch.</summary>
    public string? Torch { get; private init; }

    public GpuPart Part { get; private init; }

    /// <summary>Table of ncu; null for none.</summary>
    public string? Ncu { get; private init; }

    public string Folder { get; private init; } = "gpu";

    /// <summary>What was compared, and what was timed: <see cref="GpuProgress"/>.</summary>
    public string CheckFile => Path.Combine(Folder, "check.jsonl");

    /// <inheritdoc cref="CheckFile"/>
    public string TimesFile => Path.Combine(Folder, "times.jsonl");

    /// <summary>The command line of a process that does a part of what was asked for.</summary>
    public IEnumerable<string> WordsFor(GpuPart part, int seconds)
        => ["gpu", .. words, "--part", part.ToString().ToLowerInvariant(), "--seconds", seconds.ToString(CultureInfo.InvariantCulture)];

    public bool Wants(Operation operation) => Only.Count == 0 || Only.Any(part => operation.Name.Contains(part, StringComparison.Ordinal));

    /// <exception cref="UserErrorException">There is no GPU.</exception>
    public Device Open(Precision precision = Precision.Fp32)
    {
        if (!Cuda)
            return Device.Cpu();
        if (Device.CudaCount() == 0)
            throw new UserErrorException("There is no CUDA device here: install an NVIDIA driver, or rehearse with --device cpu or on the driver that executes PTX (docs/gpu.md).");
        return Device.Cuda(0, precision);
    }

    /// <exception cref="UserErrorException">An option is not known or its value makes no sense.</exception>
    public static GpuOptions Parse(ReadOnlySpan<string> args)
    {
        var options = new GpuOptions { words = args.ToArray() };
        for (int i = 0; i < args.Length; i += 2)
        {
            string value = i + 1 < args.Length ? args[i + 1] : throw new UserErrorException($"{args[i]} needs a value.\n{Usage}");
            options = args[i] switch
            {
                "--device" when value is "cuda" or "cpu" => options with { Cuda = value == "cuda" },
                "--size" when Numbers(value, 'x') is [var height, var width] => options with { Height = height, Width = width },
                "--batches" when Numbers(value, ',') is { Length: > 0 } batches => options with { Batches = [.. batches.Order()] },
                "--seconds" when Numbers(value, ',') is [var seconds] => options with { Seconds = seconds },
                "--row-seconds" when Numbers(value, ',') is [var seconds] => options with { RowSeconds = seconds },
                "--only" => options with { Only = value.Split(',', StringSplitOptions.RemoveEmptyEntries) },
                "--torch" => options with { Torch = value },
                "--ncu" => options with { Ncu = value },
                "--part" when Enum.TryParse(value, ignoreCase: true, out GpuPart part) && Enum.IsDefined(part) => options with { Part = part },
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
