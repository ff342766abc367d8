using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Gpu;

/// <summary>One figure of the run book.</summary>
/// <param name="Seconds">Of one run, median, caches as the run before left them; 0 where it failed.</param>
/// <param name="ColdSeconds">With an empty L2 cache; 0 where that was not measured.</param>
/// <param name="Teraflops">Multiply-adds of the direct method counted as 2, a second; 0 where there is no single number.</param>
/// <param name="Problem">Why there is no figure, or null.</param>
internal sealed record GpuRow(string What, string How, int Images, double Seconds, double ColdSeconds, double Teraflops, string? Problem);

/// <summary>The run book's findings, as <c>gpu.md</c> for people and <c>gpu.json</c> for programs.</summary>
internal sealed class GpuReport(GpuOptions options, GpuProgress check, GpuProgress times)
{
    private IReadOnlyList<DeviceCheckRow> Checks => [.. check.Ended.Select(l => l.Check!)];

    /// <summary>Comparisons that were never made.</summary>
    private int Missing => (check.Device?.Cases ?? 0) - Checks.Count;

    public bool AllRight => Checks.Count > 0 && Missing == 0 && Checks.All(c => c.Ok);

    /// <summary>How many comparisons came out right, in a sentence.</summary>
    public string Agreement => $"{Checks.Count(c => c.Ok)} of {Checks.Count} checks of kernels agree with the processor{(Missing > 0 ? $"; {Missing} were not made" : "")}.";

    /// <summary>The variants that failed in a check, or computed wrongly.</summary>
    public static IEnumerable<Variant> LeftOut(GpuProgress check)
    {
        var wrong = check.Ended.Select(l => l.Check!).Where(c => !c.Ok).Select(c => (c.Operation, c.Variant)).ToHashSet();
        return from operation in KernelTable.All from variant in operation.AllVariants where wrong.Contains((operation.Name, variant.Name)) select variant;
    }

    public void Write()
    {
        AtomicFile.WriteText(Path.Combine(options.Folder, "gpu.md"), Markdown());
        AtomicFile.WriteText(
            Path.Combine(options.Folder, "gpu.json"),
            JsonSerializer.Serialize(
                new
                {
                    device = check.Device?.Device, size = new[] { options.Height, options.Width }, checks = Checks.Count, missing = Missing,
                    wrong = Checks.Where(c => !c.Ok).Select(c => new { c.Operation, c.Variant, c.Problem, error = $"{c.Error}", c.Tolerance, c.Message }), rows = times.Ended.Select(l => l.Time),
                },
                new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }) + "\n");
    }

    private string Markdown()
    {
        var text = new StringBuilder($"# GPU run book: {check.Device?.Device}\n\n{Agreement}\n\n");
        text.Append("| operation | variant | checks | wrong | largest error, of the tolerance | the first that is wrong |\n|---|---|---|---|---|---|\n");
        foreach (var g in Checks.GroupBy(c => (c.Operation, c.Variant)))
            text.Append(CultureInfo.InvariantCulture, $"| {g.Key.Operation} | {g.Key.Variant} | {g.Count()} | {g.Count(c => !c.Ok)} | {g.Max(c => c.Tolerance > 0 ? c.Error / c.Tolerance : c.Error):0.00} | {Said(g.FirstOrDefault(c => !c.Ok))} |\n");
        text.Append(CultureInfo.InvariantCulture, $"\nVGG-16 at {options.Height}×{options.Width}; medians; TFLOP/s count the direct method.\n");
        string[] leftOut = [.. Checks.Where(c => !c.Ok).Select(c => $"{c.Operation} ({c.Variant})").Distinct()];
        if (leftOut.Length > 0)
            text.Append($"Left out, for they are wrong: {string.Join(", ", leftOut)}; networks ran with what comes behind them.\n");
        text.Append("\n| what | how | images | ms | ms, L2 empty | TFLOP/s | images a second |\n|---|---|---|---|---|---|---|\n");
        foreach (var line in times.Ended)
            text.Append(Line(line.Time!)).Append('\n');
        return text.ToString();
    }

    private static string Said(DeviceCheckRow? wrong) => wrong is null ? "" : $"{wrong.Problem}{(wrong.Message is { } message ? $": {Cell(message)}" : "")}";

    /// <summary>A row of the table of times.</summary>
    public static string Line(GpuRow r) => r.Problem is { } problem
        ? $"| {r.What} | {r.How} | {r.Images} | {Cell(problem)} | | | |"
        : string.Create(CultureInfo.InvariantCulture,
            $"| {r.What} | {r.How} | {r.Images} | {1000 * r.Seconds:0.000} | {(r.ColdSeconds > 0 ? $"{1000 * r.ColdSeconds:0.000}" : "")} | {(r.Teraflops > 0 ? $"{r.Teraflops:0.00}" : "")} | {r.Images / r.Seconds:0.0} |");

    private static string Cell(string text) => text.ReplaceLineEndings(" ").Replace("|", "\\|", StringComparison.Ordinal);
}
