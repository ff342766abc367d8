using System.Globalization;
using System.Text;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Profiles;

/// <summary>Times of operations over rounds of the same work; the same operation on the same problem is one row.</summary>
internal sealed class OperationProfile : IOperationObserver
{
    private sealed record Row(string Operation, string Variant, string Problem)
    {
        public int Calls;
        public double Flops;
        public double Round;
        public List<double> Seconds { get; } = [];
    }

    private readonly List<Row> rows = [];
    private readonly Dictionary<(Operation, object, bool), Row> known = [];
    private readonly List<double> wholes = [];

    public void Ran(Operation operation, Variant variant, object problem, bool preparation, TimeSpan time)
    {
        // Bands of one map are one row.
        object whole = problem is ConvolutionBand band ? band.All : problem;
        if (!known.TryGetValue((operation, whole, preparation), out var row))
            rows.Add(known[(operation, whole, preparation)] = row = new(operation.Name + (preparation ? ", weights" : ""), variant.Name, whole.ToString()!));
        if (wholes.Count == 0)
        {
            row.Calls++;
            row.Flops += preparation ? 0 : operation.FlopsOf(problem);
        }
        row.Round += time.TotalSeconds;
    }

    /// <param name="whole">What the same work took while nobody looked, operations and all between them.</param>
    public void EndRound(TimeSpan whole)
    {
        wholes.Add(whole.TotalSeconds);
        foreach (var row in rows)
        {
            row.Seconds.Add(row.Round);
            row.Round = 0;
        }
    }

    /// <param name="peak">GFLOP/s of multiply-adds; null where it is not known.</param>
    /// <returns>Rows as Markdown, in the order of the work, then sums by operation.</returns>
    public string Markdown(double? peak)
    {
        double whole = Median.Of(wholes);
        var text = new StringBuilder("| operation | variant | problem | calls | ms | of all | GFLOP/s | of the peak |\n|---|---|---|---|---|---|---|---|\n");
        foreach (var row in rows)
        {
            double seconds = Median.Of(row.Seconds), rate = row.Flops / seconds / 1e9;
            text.Append(CultureInfo.InvariantCulture, $"| {row.Operation} | {row.Variant} | {row.Problem} | {row.Calls} | {1000 * seconds:0.00} | {100 * seconds / whole:0.0} % | {(row.Flops > 0 ? $"{rate:0} | {rate / peak:0.00}" : "|")} |\n");
        }
        text.Append("\n| operation | ms | of all |\n|---|---|---|\n");
        foreach (var group in rows.GroupBy(r => r.Operation).Select(g => (g.Key, Seconds: g.Sum(r => Median.Of(r.Seconds)))).OrderByDescending(g => g.Seconds))
            text.Append(CultureInfo.InvariantCulture, $"| {group.Key} | {1000 * group.Seconds:0.0} | {100 * group.Seconds / whole:0.0} % |\n");
        double inside = rows.Sum(r => Median.Of(r.Seconds));
        text.Append(CultureInfo.InvariantCulture, $"| between them | {1000 * (whole - inside):0.0} | {100 * (whole - inside) / whole:0.0} % |\n");
        text.Append(CultureInfo.InvariantCulture, $"| all | {1000 * whole:0.0} | 100 % |\n");
        return text.ToString();
    }
}
