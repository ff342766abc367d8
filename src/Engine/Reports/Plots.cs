using System.Globalization;
using ScottPlot;
using SkiaSharp;

namespace IlgpuNetVlad.Engine.Reports;

/// <summary>Curves as PNG files, 960×640 pixels. Every method writes aside and renames; a place that cannot be written is a
/// <see cref="UserErrorException"/>.</summary>
public static class Plots
{
    private const int Width = 960, Height = 640;

    private static readonly MarkerShape[] Markers =
    [
        MarkerShape.FilledCircle, MarkerShape.FilledSquare, MarkerShape.FilledTriangleUp, MarkerShape.FilledDiamond, MarkerShape.FilledTriangleDown,
        MarkerShape.OpenCircle, MarkerShape.OpenSquare, MarkerShape.OpenTriangleUp,
    ];

    /// <summary>Recall over the number of answers looked at, spaced by its logarithm, one curve a row, with intervals as bands where they are given.</summary>
    public static void Recall(string path, string title, IReadOnlyList<Curve> curves)
    {
        var plot = Start(title, "answers looked at, N", "queries with a right answer among the first N, %");
        // By logarithms: the first few answers matter most, and they would stand in a corner.
        AddCurves(plot, curves, at => Math.Log(at));
        var deepest = curves.SelectMany(curve => curve.At).DefaultIfEmpty(1).Max();
        int[] ticks = [.. new[] { 1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50, 100, 200, 500, 1000 }.Where(n => n <= deepest)];
        plot.Axes.Bottom.SetTicks([.. ticks.Select(n => Math.Log(n))], [.. ticks.Select(n => n.ToString(CultureInfo.InvariantCulture))]);
        var end = Math.Log(Math.Max(2, deepest));
        plot.Axes.SetLimitsX(-0.02 * end, 1.02 * end);
        // Curves of recall@N rise towards all queries: that is where they end, whatever they reach.
        plot.Axes.SetLimitsY(Math.Max(0, Math.Floor(Lowest(curves) / 10 - 0.3) * 10), 101);
        // A few names find room below the curves, which rise; many would hide them.
        if (curves.Count(curve => !curve.Companion) <= 5)
            plot.ShowLegend(Alignment.LowerRight);
        else
            plot.ShowLegend(Edge.Bottom);
        Save(path, plot);
    }

    /// <summary>Recall over the length of the descriptors; lengths are spaced by their logarithms. The axis of recalls is as long as the curves need, in steps of 5 %.</summary>
    /// <param name="n">The N of the recall.</param>
    /// <param name="companions">What dashed companions are, for the axis' label.</param>
    public static void Dimensions(string path, string title, int n, IReadOnlyList<Curve> curves, string? companions = null)
    {
        var plot = Start(title, "numbers in a descriptor" + (companions is null || !curves.Any(c => c.Companion) ? "" : $" (dashed: {companions})"), $"recall@{n}, %");
        AddCurves(plot, curves, at => Math.Log2(at));
        var lengths = curves.SelectMany(curve => curve.At).Distinct().Order().ToArray();
        plot.Axes.Bottom.SetTicks([.. lengths.Select(length => Math.Log2(length))], [.. lengths.Select(length => length.ToString(CultureInfo.InvariantCulture))]);
        var highest = 100 * curves.SelectMany(curve => curve.Recall.Concat(curve.High ?? [])).DefaultIfEmpty(1).Max();
        plot.Axes.SetLimitsY(Math.Max(0, 5 * Math.Floor((Lowest(curves) - 1) / 5)), Math.Min(101, 5 * Math.Ceiling((highest + 1) / 5)));
        plot.Axes.Left.MinimumSize = 65; // Or the label touches the numbers.
        // Below, as flat curves leave no corner free; one without names would take the whole picture.
        if (curves.Count > 0)
            plot.ShowLegend(Edge.Bottom);
        Save(path, plot);
    }

    /// <summary>Recall on the validation set above, loss below, over the epochs of a run.</summary>
    /// <param name="bestEpoch">Marked by a line; null where there is none yet.</param>
    public static void Training(string path, string title, IReadOnlyList<TrainingPoint> points, double? bestEpoch = null)
    {
        var recall = Start(title, "", "validation recall, %");
        foreach (var (name, of, i) in new (string, Func<TrainingPoint, double?>, int)[]
        {
            ("recall@1", point => point.RecallAt1, 0), ("recall@5", point => point.RecallAt5, 1), ("recall@10", point => point.RecallAt10, 2),
        })
        {
            var known = points.Where(point => of(point) is not null).ToArray();
            if (known.Length > 0)
                AddLine(recall, name, [.. known.Select(point => point.Epoch)], [.. known.Select(point => 100 * of(point)!.Value)], i, known.Length <= 60);
        }

        // Room above the curves for the legend, which would hide some anywhere else.
        double[] recalls = [.. points.SelectMany(point => new[] { point.RecallAt1, point.RecallAt5, point.RecallAt10 }).OfType<double>().Select(value => 100 * value)];
        var (lowest, highest) = recalls.Length > 0 ? (recalls.Min(), recalls.Max()) : (0, 100);
        var room = Math.Max(1, highest - lowest);
        recall.Axes.SetLimitsY(Math.Max(-1, lowest - 0.06 * room), highest + 0.2 * room);
        recall.Axes.Left.TickGenerator = new ScottPlot.TickGenerators.NumericAutomatic
        {
            LabelFormatter = value => value is > 100.001 or < -0.001 ? "" : value.ToString("0.##", CultureInfo.InvariantCulture),
        };

        var loss = Start("", "epochs", "training loss");
        loss.Axes.SetLimitsY(0, 1);
        var lost = points.Where(point => point.Loss is not null && double.IsFinite(point.Loss.Value)).ToArray();
        if (lost.Length > 0)
        {
            AddLine(loss, "", [.. lost.Select(point => point.Epoch)], [.. lost.Select(point => point.Loss!.Value)], 4, lost.Length <= 60);
            loss.Axes.SetLimitsY(0, Math.Max(1e-9, 1.08 * lost.Max(point => point.Loss!.Value)));
        }

        var end = points.Select(point => point.Epoch).DefaultIfEmpty(1).Max();
        foreach (var plot in new[] { recall, loss })
        {
            plot.Axes.Bottom.TickGenerator = new ScottPlot.TickGenerators.NumericAutomatic { IntegerTicksOnly = true };
            plot.Axes.SetLimitsX(-0.02 * end, Math.Max(1e-3, 1.02 * end));
            // Both halves begin at the same place, or a line through both would lie.
            plot.Axes.Left.MinimumSize = plot.Axes.Left.MaximumSize = 80;
            if (bestEpoch is { } best)
            {
                var line = plot.Add.VerticalLine(best, 2, ColourOf(Palette.Right), LinePattern.Dashed);
                line.LegendText = plot == recall ? string.Create(CultureInfo.InvariantCulture, $"best epoch, {best:0.##}") : "";
            }
        }

        recall.ShowLegend(Alignment.UpperRight, Orientation.Horizontal);
        using var picture = new Picture(Width, Height);
        var half = Height * 11 / 20;
        Draw(picture, recall, 0, half);
        Draw(picture, loss, half, Height);
        picture.Save(path);
        recall.Dispose();
        loss.Dispose();
    }

    private static Plot Start(string title, string x, string y)
    {
        var plot = new Plot();
        ReportFont.Use(plot);
        plot.Title(title, 18);
        plot.XLabel(x, 15);
        plot.YLabel(y, 15);
        plot.Axes.Left.Label.Bold = plot.Axes.Bottom.Label.Bold = false;
        plot.Axes.Bottom.TickLabelStyle.FontSize = plot.Axes.Left.TickLabelStyle.FontSize = 13;
        plot.Legend.FontSize = 14;
        plot.Legend.FontName = ReportFont.Name;
        plot.Legend.BackgroundColor = Colors.White.WithAlpha(0.8);
        plot.Legend.OutlineColor = ColourOf(Palette.Line);
        plot.Legend.ShadowColor = Colors.Transparent;
        return plot;
    }

    private static void AddCurves(Plot plot, IReadOnlyList<Curve> curves, Func<int, double> x)
    {
        int names = 0;
        foreach (var curve in curves)
        {
            int i = curve.Companion ? names - 1 : names++;
            double[] xs = [.. curve.At.Select(x)];
            if (curve.Low is not null && curve.High is not null)
            {
                var band = plot.Add.FillY(xs, [.. curve.Low.Select(v => 100 * v)], [.. curve.High.Select(v => 100 * v)]);
                band.FillColor = ColourOf(Palette.Curves[i % Palette.Curves.Length]).WithAlpha(0.10);
                band.LineWidth = 0;
            }

            var line = AddLine(plot, curve.Companion ? "" : curve.Name, xs, [.. curve.Recall.Select(v => 100 * v)], i, true);
            if (curve.Companion)
                line.LinePattern = LinePattern.Dashed;
        }
    }

    /// <summary>Lowest recall of all curves and of their bands, in %; 100 where there is none.</summary>
    private static double Lowest(IReadOnlyList<Curve> curves) => 100 * curves.SelectMany(curve => curve.Recall.Concat(curve.Low ?? [])).DefaultIfEmpty(1).Min();

    private static ScottPlot.Plottables.Scatter AddLine(Plot plot, string name, double[] xs, double[] ys, int index, bool markers)
    {
        var line = plot.Add.Scatter(xs, ys, ColourOf(Palette.Curves[index % Palette.Curves.Length]));
        line.LegendText = name;
        line.LineWidth = 2;
        line.MarkerShape = Markers[index % Markers.Length];
        line.MarkerSize = markers ? 8 : 0;
        // A second round through the colours is told by its dots.
        line.LinePattern = index < Palette.Curves.Length ? LinePattern.Solid : LinePattern.Dotted;
        return line;
    }

    private static void Draw(Picture picture, Plot plot, int top, int bottom)
    {
        // A plot wipes all of its canvas first, the other half too if it may.
        picture.Canvas.Save();
        picture.Canvas.ClipRect(new SKRect(0, top, Width, bottom));
        plot.Render(picture.Canvas, new PixelRect(0, Width, bottom, top));
        picture.Canvas.Restore();
    }

    private static Color ColourOf(SKColor colour) => new(colour.Red, colour.Green, colour.Blue);

    private static void Save(string path, Plot plot)
    {
        var bytes = plot.GetImageBytes(Width, Height, ImageFormat.Png);
        plot.Dispose();
        AtomicFile.Write(path, bytes);
    }
}
