using System.Globalization;
using System.Text;
using System.Text.Json;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Reports;

namespace IlgpuNetVlad.Perf.Peers;

/// <summary>One engine's times.</summary>
/// <param name="Seconds">Of each round.</param>
/// <param name="Difference">By <see cref="IComparedWork.Difference"/>; null for ours held against itself.</param>
/// <param name="PeakBytes">Most resident memory of its process before it wrote its answer; null where the system does not tell.</param>
internal sealed record PeerRow(string Name, List<double> Seconds, double? Difference, long? PeakBytes);

/// <summary>The table of a comparison, as Markdown and as JSON.</summary>
/// <param name="Peak">GFLOP/s of multiply-adds in registers, measured before the rounds.</param>
/// <param name="Flops">Of one run, counted as the direct method needs them.</param>
internal sealed record PeerReport(string Title, string DifferenceTitle, int Threads, double Peak, double Flops, IReadOnlyList<PeerRow> Rows)
{
    /// <summary>Writes <c>peers.md</c> and <c>peers.json</c>, and prints the table.</summary>
    public void Write(string folder)
    {
        string table = Markdown();
        Console.WriteLine();
        Console.WriteLine(table);
        AtomicFile.Write(Path.Combine(folder, "peers.md"), s => s.Write(Encoding.UTF8.GetBytes(table)));
        AtomicFile.Write(Path.Combine(folder, "peers.json"), s => s.Write(Json()));
    }

    private static string Processor => MachineReport.Create().Processor ?? "unknown processor";

    /// <summary>The median of the rounds' ratios: each compares neighbours in time.</summary>
    private double Ratio(PeerRow row) => Median.Of(row.Seconds.Zip(Rows[0].Seconds, (peer, ours) => peer / ours));

    private double Rate(PeerRow row) => Flops / Median.Of(row.Seconds) / 1e9;

    private string Markdown()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{Title}, {Threads} threads, {Rows[0].Seconds.Count} rounds; {Processor}, ");
        text.Append(CultureInfo.InvariantCulture, $"multiply-adds' peak {Peak:0} GFLOP/s; GFLOP/s count the direct method's {Flops / 1e9:0.0} GFLOP.\n\n");
        text.Append("| engine | median ms | least ms | times ours, median of rounds | GFLOP/s | of the peak | peak memory, MB ");
        text.Append(CultureInfo.InvariantCulture, $"| {DifferenceTitle} |\n|---|---|---|---|---|---|---|---|\n");
        foreach (var row in Rows)
            text.Append(
                CultureInfo.InvariantCulture,
                $"| {row.Name} | {1000 * Median.Of(row.Seconds):0.0} | {1000 * row.Seconds.Min():0.0} | {Ratio(row):0.00} | {Rate(row):0} | {Rate(row) / Peak:0.00} | {row.PeakBytes / 1e6:0} | {row.Difference:0.0e0} |\n");
        return text.ToString();
    }

    private byte[] Json() => JsonSerializer.SerializeToUtf8Bytes(
        new
        {
            processor = Processor,
            work = Title,
            threads = Threads,
            peakGflops = Peak,
            directGflop = Flops / 1e9,
            engines = Rows.Select(r => new
            {
                name = r.Name,
                medianMs = 1000 * Median.Of(r.Seconds),
                timesOurs = Ratio(r),
                peakMemoryMb = r.PeakBytes / 1e6,
                differenceIs = DifferenceTitle,
                difference = r.Difference is { } d && double.IsFinite(d) ? d : (double?)null,
                roundsMs = r.Seconds.Select(s => 1000 * s),
            }),
        },
        new JsonSerializerOptions { WriteIndented = true });
}
