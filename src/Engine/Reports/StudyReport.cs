using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Training;

namespace IlgpuNetVlad.Engine.Reports;

/// <summary>The pictures that the study of the embedded city ends with.</summary>
public static class StudyReport
{
    private const int Rows = 8;

    /// <summary>
    /// Draws the recall of every row of the study as <c>test-recall.png</c>, and as <c>test-answers.png</c> queries with their first answers before and
    /// after training.
    /// </summary>
    /// <returns>The files.</returns>
    public static IReadOnlyList<string> Write(string folder, CityStudyResult result, IImageDecoder decoder)
    {
        string curves = Path.Combine(folder, "test-recall.png"), answers = Path.Combine(folder, "test-answers.png");
        Plots.Recall(curves, "Recall on the city's test quarter", [.. result.Rows.Select(r => RecallCurve.Of(r.Name, r.Report))]);
        AnswerSheet.Write(
            answers, "Queries of the test quarter and their first answers", result.Test, Evenly(result.Test.Queries.Count),
            [new("before training", result.Before.Answers), new("after training", result.After.Answers)], decoder);
        return [curves, answers];
    }

    /// <summary>Queries spread evenly over the quarter: neither the best nor the worst are picked.</summary>
    private static int[] Evenly(int count)
    {
        int rows = Math.Min(Rows, count);
        return [.. Enumerable.Range(0, rows).Select(i => (int)((i + 0.5) * count / rows))];
    }
}
