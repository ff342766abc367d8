using IlgpuNetVlad.Engine.Retrieval;

namespace IlgpuNetVlad.Engine.Reports;

/// <summary>Turns what was measured into what is drawn.</summary>
internal static class RecallCurve
{
    /// <summary>Recall over N with its intervals.</summary>
    public static Curve Of(string name, RecallReport report) => new(
        name,
        report.Depths,
        [.. report.Depths.Select(report.Recall)],
        [.. report.Depths.Select(n => report.Interval(n).Low)],
        [.. report.Depths.Select(n => report.Interval(n).High)]);
}
