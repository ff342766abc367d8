using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace IlgpuNetVlad.Perf;

/// <summary>Direct-equivalent GFLOP/s at the median time.</summary>
public sealed class RateColumn : IColumn
{
    public string Id => nameof(RateColumn);
    public string ColumnName => "GFLOP/s";
    public bool AlwaysShow => true;
    public ColumnCategory Category => ColumnCategory.Custom;
    public int PriorityInCategory => 0;
    public bool IsNumeric => true;
    public UnitType UnitType => UnitType.Dimensionless;
    public string Legend => "Multiply-adds of the direct method, 2 FLOPs each, over the median time";

    public string GetValue(Summary summary, BenchmarkCase benchmark)
    {
        if (summary[benchmark]?.ResultStatistics is not { } statistics)
            return "-";
        // The benchmark's own class knows its operation; the parameter is set as the run sets it.
        dynamic instance = Activator.CreateInstance(benchmark.Descriptor.Type)!;
        benchmark.Descriptor.Type.GetProperty("Problem")!.SetValue((object)instance, benchmark.Parameters["Problem"]);
        return ((double)instance.Flops / statistics.Median).ToString("0.0");
    }

    public string GetValue(Summary summary, BenchmarkCase benchmark, SummaryStyle style) => GetValue(summary, benchmark);

    public bool IsAvailable(Summary summary) => true;

    public bool IsDefault(Summary summary, BenchmarkCase benchmark) => false;
}
