using System.Globalization;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace IlgpuNetVlad.Perf.Operations;

/// <summary>What a problem's FLOPs or bytes make of the median time.</summary>
/// <param name="value">From benchmark, problem and seconds.</param>
internal sealed class ProblemColumn(string name, string legend, Func<IOperationBenchmark, object, double, double> value) : IColumn
{
    /// <summary>Rates, and their shares of what the machine gave before the first benchmark.</summary>
    /// <param name="peak">GFLOP/s of multiply-adds in registers.</param>
    /// <param name="bandwidth">GB/s of memory.</param>
    public static IColumn[] All(double peak, double bandwidth) =>
    [
        new ProblemColumn("GFLOP/s", "Operations of the direct method, 2 a multiply-add, over the median time", (b, p, s) => b.FlopsOf(p) / s / 1e9),
        new ProblemColumn("of FMA peak", Text($"Those, of {peak:0} GFLOP/s that multiply-adds in registers reached before; Winograd's method may go beyond 1"), (b, p, s) => b.FlopsOf(p) / s / 1e9 / peak),
        new ProblemColumn("GB/s", "Every buffer once, over the median time", (b, p, s) => b.BytesOf(p) / s / 1e9),
        new ProblemColumn("of bandwidth", Text($"Those, of {bandwidth:0.0} GB/s that copying in memory reached before; what fits the caches may go beyond 1"), (b, p, s) => b.BytesOf(p) / s / 1e9 / bandwidth),
    ];

    public string Id => nameof(ProblemColumn) + name;
    public string ColumnName => name;
    public bool AlwaysShow => true;
    public ColumnCategory Category => ColumnCategory.Custom;
    public int PriorityInCategory => 0;
    public bool IsNumeric => true;
    public UnitType UnitType => UnitType.Dimensionless;
    public string Legend => legend;

    public string GetValue(Summary summary, BenchmarkCase benchmark)
    {
        if (summary[benchmark]?.ResultStatistics is not { } statistics)
            return "-";
        var asked = (IOperationBenchmark)Activator.CreateInstance(benchmark.Descriptor.Type)!;
        return value(asked, benchmark.Parameters[nameof(OperationBenchmark<int>.Problem)], statistics.Median / 1e9).ToString("0.00", CultureInfo.InvariantCulture);
    }

    public string GetValue(Summary summary, BenchmarkCase benchmark, SummaryStyle style) => GetValue(summary, benchmark);

    public bool IsAvailable(Summary summary) => true;

    public bool IsDefault(Summary summary, BenchmarkCase benchmark) => false;

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
