using System.Globalization;
using IlgpuNetVlad.Engine.Retrieval;
using Spectre.Console;

namespace IlgpuNetVlad.App.Shell;

/// <summary>Recalls as a table with intervals, and as a document.</summary>
internal static class RecallTable
{
    public static Table Of(string first, IReadOnlyList<(string Name, RecallReport Report)> rows, params int[] depths)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn(Markup.Escape(first));
        foreach (int n in depths)
            table.AddColumn(new TableColumn($"recall@{n}, %").RightAligned());
        foreach (var (name, report) in rows)
            table.AddRow([Markup.Escape(name), .. depths.Select(n => Cell(report, n))]);
        return table;
    }

    public static object Document(RecallReport report) => new
    {
        report.Queries,
        queriesWithoutAnswer = report.WithoutTruth,
        recall = report.Depths.Select(n => new { n, hits = report.Hits(n), share = report.Recall(n), low = report.Interval(n).Low, high = report.Interval(n).High }),
    };

    private static string Cell(RecallReport report, int n)
        => string.Create(CultureInfo.InvariantCulture, $"{100 * report.Recall(n):0.0} ({100 * report.Interval(n).Low:0.0}–{100 * report.Interval(n).High:0.0})");
}
