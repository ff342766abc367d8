using System.Text.Json;
using IlgpuNetVlad.Ptx;

namespace IlgpuNetVlad.App.Emitted;

/// <summary>What an assembler makes of a kernel for a chip, as far as it is expected.</summary>
internal sealed record ChipFacts(int Registers, int SpillBytes);

/// <summary>What is known about a kernel without running it.</summary>
/// <param name="Threads">Of a block, as it is launched.</param>
/// <param name="Chips">By the chip's name; empty without an assembler.</param>
internal sealed record VerifiedKernel(int Threads, KernelFacts Ptx, IReadOnlyDictionary<string, ChipFacts> Chips);

/// <summary>What all kernels are expected to be.</summary>
/// <param name="Assembler">Version of the assembler that told the registers.</param>
internal sealed record KernelExpectations(string Assembler, IReadOnlyDictionary<string, VerifiedKernel> Kernels)
{
    private static readonly JsonSerializerOptions Options = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase, DictionaryKeyPolicy = null, NewLine = "\n" };

    /// <summary>The committed ones.</summary>
    public static KernelExpectations Committed()
    {
        using var stream = typeof(KernelExpectations).Assembly.GetManifestResourceStream("kernel-expectations.json")!;
        return JsonSerializer.Deserialize<KernelExpectations>(stream, Options)!;
    }

    public string Text() => JsonSerializer.Serialize(this, Options) + "\n";
}
