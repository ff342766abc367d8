using System.Globalization;
using System.Text;
using System.Text.Json;
using IlgpuNetVlad.Engine.Reports;

namespace IlgpuNetVlad.Engine.Studies;

/// <summary>All that a study measured, and the files that tell of it.</summary>
/// <param name="Measurements">In the order in which they were made.</param>
public sealed record StudyResult(StudySettings Settings, IReadOnlyList<StudyMeasurement> Measurements)
{
    /// <summary>Rows of whole descriptors on one test: starts first, then what was trained.</summary>
    public IReadOnlyList<StudyRow> Rows(string test)
    {
        var names = Settings.Cells.Select(c => c.Start).Concat(Settings.Cells.Select(c => c.Trained)).Distinct();
        return [.. from name in names
                   let seeds = OneATurn(Measurements.Where(m => m.Row == name && m.Test == test && m.Dimensions == 0))
                   where seeds.Length > 0
                   select new StudyRow(name, seeds)];
    }

    /// <summary>Where each fold asks its own queries, a seed's folds are one measurement of all queries, in their order; else every training is one for itself.</summary>
    private StudyMeasurement[] OneATurn(IEnumerable<StudyMeasurement> measurements)
        => [.. from m in measurements
               group m by (m.Seed, Fold: Settings.Tests.Single(t => t.Name == m.Test).IsOfFolds ? null : m.Fold) into turn
               select turn.First() with { Fold = turn.Key.Fold, FirstHit = [.. turn.OrderBy(m => m.Fold).SelectMany(m => m.FirstHit)] }];

    /// <summary>Rows of shortened descriptors on the first test, by row, whitening and length.</summary>
    public IReadOnlyList<(StudyRow Row, bool Whitened, int Dimensions)> ShortRows
        => [.. from g in Measurements.Where(m => m.Dimensions > 0).GroupBy(m => (m.Row, m.Whitened, m.Dimensions))
               select (new StudyRow(g.Key.Row, OneATurn(g)), g.Key.Whitened, g.Key.Dimensions)];

    /// <summary>Writes <c>table.md</c>, <c>results.json</c>, <c>recall.png</c>, and <c>dimensions.png</c> where lengths were asked for.</summary>
    /// <returns>The files.</returns>
    public IReadOnlyList<string> Write(string folder)
    {
        var files = new List<string> { Path.Combine(folder, "table.md"), Path.Combine(folder, "results.json"), Path.Combine(folder, "recall.png") };
        AtomicFile.WriteText(files[0], Markdown());
        AtomicFile.WriteText(files[1], JsonSerializer.Serialize(this, new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.CamelCase }) + "\n");
        int[] depths = [1, 2, 3, 4, 5, 10, 15, 20, 25];
        var test = Settings.Tests[0];
        Plots.Recall(files[2], $"{Settings.Title}: {test.Name}", [.. Rows(test.Name).Select(r => new Curve(r.Name, depths, [.. depths.Select(r.Recall)]))]);
        if (ShortRows.Count == 0)
            return files;
        files.Add(Path.Combine(folder, "dimensions.png"));
        Plots.Dimensions(files[3], $"{Settings.Title}: {test.Name}", 1,
            // In the order of the other plot, so that a row has the same colour in both.
            [.. from whole in Rows(test.Name)
                join shorter in ShortRows on whole.Name equals shorter.Row.Name into row
                from g in row.GroupBy(r => r.Whitened).OrderBy(g => g.Key).Select((g, i) => (Rows: g.OrderBy(r => r.Dimensions).ToArray(), Companion: i > 0))
                select new Curve(whole.Name, [.. g.Rows.Select(r => r.Dimensions)], [.. g.Rows.Select(r => r.Row.Recall(1))], Companion: g.Companion)],
            "whitened");
        return files;
    }

    /// <summary>The table as people read it.</summary>
    public string Markdown()
    {
        var text = new StringBuilder($"# {Settings.Title}\n\n");
        if (Settings.Folds is { } folds)
            text.Append(
                CultureInfo.InvariantCulture,
                $"{folds.Count} folds by place: each query is asked of networks that learnt from other places, {folds.Validation} of which chose the epoch, and a row has all folds' queries.\n");
        text.Append(CultureInfo.InvariantCulture, $"Seeds {string.Join(", ", Settings.Seeds)}. Recall in %: mean over the seeds ± their standard deviation, and Wilson's 95 % interval of that mean\n");
        text.Append("for other queries of the kind. The last column compares recall@1 with the best row: queries that speak for that one, for this one, and the chance of so uneven a\nsplit without a difference (exact sign test; a query speaks for the row that hit it with more seeds).\n");
        foreach (var test in Settings.Tests)
        {
            var rows = Rows(test.Name);
            if (rows.Count == 0)
                continue;
            var best = rows.MaxBy(r => r.Recall(1))!;
            text.Append(CultureInfo.InvariantCulture, $"\n## {test.Name}: {best.Queries} queries\n\n| | recall@1 | recall@5 | recall@10 | against the best |\n|---|---|---|---|---|\n");
            foreach (var row in rows)
                text.Append(CultureInfo.InvariantCulture, $"| {row.Name} | {Cell(row, 1)} | {Cell(row, 5)} | {Cell(row, 10)} | {(row == best ? "the best" : Comparison(best, row))} |\n");
        }
        if (Settings.Folds is not null)
            ByFold(text);
        if (ShortRows.Count == 0)
            return text.ToString();
        text.Append(CultureInfo.InvariantCulture, $"\n## {Settings.Tests[0].Name}: recall@1 after PCA, fitted on the training split's database\n\n| | {string.Join(" | ", Settings.Dimensions)} |\n|---|{string.Concat(Settings.Dimensions.Select(_ => "---|"))}\n");
        foreach (var g in ShortRows.GroupBy(r => (r.Row.Name, r.Whitened)))
            text.Append(CultureInfo.InvariantCulture, $"| {g.Key.Name}{(g.Key.Whitened ? ", whitened" : "")} | {string.Join(" | ", Settings.Dimensions.Select(d => g.Where(r => r.Dimensions == d).Select(r => r.Row.Share(1)).FirstOrDefault("–")))} |\n");
        return text.ToString();
    }

    /// <summary>Whether one fold alone makes a difference.</summary>
    private void ByFold(StringBuilder text)
    {
        string test = Settings.Tests[0].Name;
        int[] folds = [.. Enumerable.Range(1, Settings.Folds!.Count)];
        text.Append(
            CultureInfo.InvariantCulture, $"\n## {test}: recall@1 by fold\n\n| | {string.Join(" | ", folds.Select(f => $"fold {f}"))} |\n|---|{string.Concat(folds.Select(_ => "---|"))}\n");
        foreach (var row in Rows(test))
            text.Append(CultureInfo.InvariantCulture, $"| {row.Name} | {string.Join(" | ", folds.Select(f => new StudyRow(row.Name, [.. Of(row.Name, f)]).Share(1)))} |\n");

        IEnumerable<StudyMeasurement> Of(string name, int fold) => Measurements.Where(m => m.Row == name && m.Test == test && m.Dimensions == 0 && m.Fold == fold);
    }

    private static string Cell(StudyRow row, int n)
        => string.Create(CultureInfo.InvariantCulture, $"{row.Share(n)} ({100 * row.Interval(n).Low:0.0}–{100 * row.Interval(n).High:0.0})");

    private static string Comparison(StudyRow best, StudyRow row)
    {
        var test = best.Against(row);
        string chance = test.PValue < 0.0001 ? "p < 0.0001" : string.Create(CultureInfo.InvariantCulture, $"p = {test.PValue:0.0000}");
        return $"{test.OnlyFirst} : {test.OnlySecond}, {chance}";
    }
}
