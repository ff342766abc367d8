using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace IlgpuNetVlad.Ptx;

/// <summary>What the assembler makes of a kernel for one chip.</summary>
/// <param name="Chip">Such as <c>sm_80</c>.</param>
/// <param name="Registers">Of a thread.</param>
/// <param name="SpillBytes">Stored and loaded by a thread because registers ran out.</param>
/// <param name="StackBytes">Of local memory a thread.</param>
/// <param name="SharedBytes">Of a block.</param>
/// <param name="Remarks">Warnings, errors and losses of speed that it foretells, one a line.</param>
public sealed record AssembledKernel(string Chip, int Registers, int SpillBytes, int StackBytes, int SharedBytes, IReadOnlyList<string> Remarks);

/// <summary>NVIDIA's assembler, where there is one; it needs no GPU.</summary>
public sealed partial class PtxAssembler
{
    private readonly string path;

    private PtxAssembler(string path)
    {
        this.path = path;
        Version = VersionLine().Match(Run("--version").Output) is { Success: true } found ? found.Groups[1].Value : "unknown";
    }

    /// <summary>Such as <c>12.4</c>. Another version may use other numbers of registers.</summary>
    public string Version { get; }

    /// <summary>Looks in PTXAS, on the path, in a CUDA toolkit, and where the caller says.</summary>
    /// <returns>Null where there is none.</returns>
    public static PtxAssembler? Find(params string[] more)
    {
        var places = new List<string?> { Environment.GetEnvironmentVariable("PTXAS") };
        places.AddRange((Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(p => Path.Combine(p, "ptxas")));
        foreach (string variable in new[] { "CUDA_HOME", "CUDA_PATH" })
            if (Environment.GetEnvironmentVariable(variable) is { Length: > 0 } toolkit)
                places.Add(Path.Combine(toolkit, "bin", "ptxas"));
        places.Add("/usr/local/cuda/bin/ptxas");
        places.AddRange(more);
        return places.FirstOrDefault(p => p is { Length: > 0 } && File.Exists(p)) is { } found ? new(found) : null;
    }

    /// <summary>Assembles a text with one kernel.</summary>
    public AssembledKernel Assemble(string ptx, string chip)
    {
        string source = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.ptx"), binary = Path.ChangeExtension(source, ".cubin");
        try
        {
            File.WriteAllText(source, ptx);
            var (code, output) = Run("-v", $"-arch={chip}", source, "-o", binary);
            return Read(chip, code, output);
        }
        finally
        {
            File.Delete(source);
            File.Delete(binary);
        }
    }

    /// <summary>Understands what the assembler says. Functions that are no kernels have properties too: only what follows the kernel's line counts.</summary>
    internal static AssembledKernel Read(string chip, int exitCode, string output)
    {
        var remarks = output.Split('\n').Where(l => l.Contains("warning", StringComparison.OrdinalIgnoreCase) || l.Contains("error", StringComparison.OrdinalIgnoreCase)
            || l.Contains("fatal", StringComparison.OrdinalIgnoreCase) || l.Contains("Performance Loss", StringComparison.OrdinalIgnoreCase)).Select(l => l.Trim()).ToList();
        if (Entry().Match(output) is not { Success: true } entry || Used().Match(output, entry.Index) is not { Success: true } used
            || Spills().Match(output, entry.Index) is not { Success: true } spills)
        {
            if (remarks.Count == 0)
                remarks.Add($"the assembler ended with code {exitCode} and told no registers");
            return new(chip, 0, 0, 0, 0, remarks);
        }
        return new(chip, Number(used.Groups[1]), Number(spills.Groups[2]) + Number(spills.Groups[3]), Number(spills.Groups[1]), used.Groups[2].Success ? Number(used.Groups[2]) : 0, remarks);
    }

    private (int Code, string Output) Run(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(path, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEndAsync();
        string report = process.StandardError.ReadToEnd() + output.Result;
        process.WaitForExit();
        return (process.ExitCode, report);
    }

    private static int Number(Group group) => int.Parse(group.Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"release (\d+\.\d+)")]
    private static partial Regex VersionLine();

    [GeneratedRegex("Compiling entry function")]
    private static partial Regex Entry();

    [GeneratedRegex(@"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")]
    private static partial Regex Spills();

    [GeneratedRegex(@"Used (\d+) registers(?:.*?(\d+) bytes smem)?")]
    private static partial Regex Used();
}
