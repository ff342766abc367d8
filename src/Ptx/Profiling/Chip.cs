using System.Text.Json;

namespace IlgpuNetVlad.Ptx;

/// <summary>A GPU as its maker describes it: highest clock, dense products, bf16 and tf32 with sums in fp32; and what is reported of it where that is far less.</summary>
/// <param name="ClockGhz">The boost clock from which the published peaks are reckoned.</param>
/// <param name="Fp32Tflops">Of the ordinary cores, a fused multiply-add counted as 2.</param>
/// <param name="MemoryGBs">Bandwidth of the memory in 10⁹ bytes a second.</param>
/// <param name="CacheTBs">
/// What all multiprocessors together are reported to read from the second-level cache, in 10¹² bytes a second: about 5.5 of an H100, with whose chip an H200 is made. Nobody here has measured it. Null where
/// <see cref="MostCacheBytesPerCycle"/> is all that is known.
/// </param>
public sealed record Chip(string Name, string Description, int Multiprocessors, double ClockGhz, double Fp32Tflops, double Bf16Tflops, double Tf32Tflops, double MemoryGBs, double? CacheTBs = null)
{
    /// <summary>Instructions of warps that a multiprocessor starts in a cycle.</summary>
    public const int IssuesPerCycle = 4;

    /// <summary>Bytes that a multiprocessor gets from the second-level cache in a cycle at the most.</summary>
    public const int MostCacheBytesPerCycle = 64;

    /// <summary>Those that each gets while all of them ask.</summary>
    public double CacheBytesPerCycle => CacheTBs is { } reported ? reported * 1e12 / CyclesPerSecond : MostCacheBytesPerCycle;

    /// <summary>Those whose peaks are known here.</summary>
    public static IReadOnlyList<Chip> All { get; } = Read();

    /// <summary>Cycles of one multiprocessor in a second of all of them.</summary>
    public double CyclesPerSecond => Multiprocessors * ClockGhz * 1e9;

    private static Chip[] Read()
    {
        using var stream = typeof(Chip).Assembly.GetManifestResourceStream("chips.json")!;
        return JsonSerializer.Deserialize<Chip[]>(stream, new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.CamelCase })!;
    }
}
