using System.Globalization;
using System.Text;
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
internal sealed class GpuReport(GpuOptions options)
{
    private readonly List<GpuRow> rows = [];

    public string Device { get; set; } = "";
    public IReadOnlyList<DeviceCheckRow> Checks { get; set; } = [];

    public bool AllRight => Checks.Count > 0 && Checks.All(c => c.Ok);

    public void Add(GpuRow row)
    {
        rows.Add(row);
        Console.WriteLine(Line(row));
    }

    public void Write()
    {
        AtomicFile.WriteText(Path.Combine(options.Folder, "gpu.md"), Markdown());
        AtomicFile.WriteText(
            Path.Combine(options.Folder, "gpu.json"),
            JsonSerializer.Serialize(
                new
                {
                    device = Device, size = new[] { options.Height, options.Width }, checks = Checks.Count, wrong = Checks.Where(c => !c.Ok).Select(c => new { c.Operation, c.Variant, c.Problem, error = $"{c.Error}", c.Tolerance }), rows,
                },
                new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, WriteIndented = true }) + "\n");
    }

    private string Markdown()
    {
        var text = new StringBuilder($"# GPU run book: {Device}\n\n");
        text.Append(CultureInfo.InvariantCulture, $"{Checks.Count(c => c.Ok)} of {Checks.Count} checks of kernels agree with the processor.\n\n| operation | variant | checks | wrong | largest error, of the tolerance |\n|---|---|---|---|---|\n");
        foreach (var g in Checks.GroupBy(c => (c.Operation, c.Variant)))
            text.Append(CultureInfo.InvariantCulture, $"| {g.Key.Operation} | {g.Key.Variant} | {g.Count()} | {g.Count(c => !c.Ok)} | {g.Max(c => c.Tolerance > 0 ? c.Error / c.Tolerance : c.Error):0.00} |\n");
        text.Append(CultureInfo.InvariantCulture, $"\nVGG-16 at {options.Height}×{options.Width}; medians; TFLOP/s count the direct method.\n\n| what | how | images | ms | ms, L2 empty | TFLOP/s | images a second |\n|---|---|---|---|---|---|---|\n");
        foreach (var row in rows)
            text.Append(Line(row)).Append('\n');
        return text.ToString();
    }

    private static string Line(GpuRow r) => r.Problem is { } problem
        ? $"| {r.What} | {r.How} | {r.Images} | {problem.ReplaceLineEndings(" ")} | | | |"
        : string.Create(CultureInfo.InvariantCulture,
            $"| {r.What} | {r.How} | {r.Images} | {1000 * r.Seconds:0.000} | {(r.ColdSeconds > 0 ? $"{1000 * r.ColdSeconds:0.000}" : "")} | {(r.Teraflops > 0 ? $"{r.Teraflops:0.00}" : "")} | {r.Images / r.Seconds:0.0} |");
}
