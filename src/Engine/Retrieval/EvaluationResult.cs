using IlgpuNetVlad.Engine.Models;
using IlgpuNetVlad.Engine.Reports;

namespace IlgpuNetVlad.Engine.Retrieval;

/// <summary>What an <see cref="EvaluationJob"/> measured.</summary>
/// <param name="Settings">Of the network that was measured.</param>
/// <param name="DescriptorLength">Numbers of a descriptor that <paramref name="Report"/> is about.</param>
/// <param name="ClustersFound">The weights had no clusters; they were sought on the set's database.</param>
/// <param name="ByDimension">Recall at each length after PCA.</param>
public sealed record EvaluationResult(
    DescribedSet Described, NetworkSettings Settings, int DescriptorLength, bool ClustersFound, RecallReport Report,
    IReadOnlyList<(int Dimension, RecallReport Report)> ByDimension)
{
    private const string RecallPlot = "recall.png", DimensionsPlot = "dimensions.png";

    /// <summary>Finds before the work whether <see cref="WritePlots"/> could write what it may.</summary>
    /// <exception cref="UserErrorException">It could not.</exception>
    public static void CheckPlots(string folder)
    {
        AtomicFile.Check(Path.Combine(folder, RecallPlot));
        AtomicFile.Check(Path.Combine(folder, DimensionsPlot));
    }

    /// <summary>Draws recall over N as <c>recall.png</c>, and over dimensions as <c>dimensions.png</c> where those were measured.</summary>
    /// <returns>The files.</returns>
    public IReadOnlyList<string> WritePlots(string folder)
    {
        string title = $"{Described.Set.Name}, {Described.Set.Split}";
        var files = new List<string> { Path.Combine(folder, RecallPlot) };
        Plots.Recall(files[0], title, [RecallCurve.Of($"{DescriptorLength} numbers", Report), .. ByDimension.Select(d => RecallCurve.Of($"{d.Dimension} after PCA", d.Report))]);
        if (ByDimension.Count > 1)
        {
            files.Add(Path.Combine(folder, DimensionsPlot));
            var ascending = ByDimension.OrderBy(d => d.Dimension).ToArray();
            int[] lengths = [.. ascending.Select(d => d.Dimension)];
            Plots.Dimensions(files[1], title, 1,
            [
                new("after PCA", lengths, [.. ascending.Select(d => d.Report.Recall(1))], [.. ascending.Select(d => d.Report.Interval(1).Low)], [.. ascending.Select(d => d.Report.Interval(1).High)]),
            ]);
        }
        return files;
    }
}
