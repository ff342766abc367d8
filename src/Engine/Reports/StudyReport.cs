using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Retrieval;
using IlgpuNetVlad.Engine.Training;

namespace IlgpuNetVlad.Engine.Reports;

/// <summary>The pictures that the study of the embedded city ends with.</summary>
public static class StudyReport
{
    private const int Rows = 8;

    /// <summary>
    /// Draws the recall of every row of the study as <c>test-recall.png</c>, and as <c>test-answers.png</c> queries with their first answers before and
    /// after training; as <c>test-failures-before.png</c> and <c>test-failures-after.png</c> those that fail.
    /// </summary>
    /// <returns>The files.</returns>
    public static IReadOnlyList<string> Write(string folder, CityStudyResult result, IImageDecoder decoder)
    {
        string curves = Path.Combine(folder, "test-recall.png"), answers = Path.Combine(folder, "test-answers.png");
        Plots.Recall(curves, "Recall on the city's test quarter", [.. result.Rows.Select(r => RecallCurve.Of(r.Name, r.Report))]);
        bool[] before = Right(result.Before), after = Right(result.After);
        AnswerSheet.Write(
            answers,
            $"Queries of the test quarter and their first answers: {QuerySample.Tally(before, after)}",
            result.Test, QuerySample.Proportional(before, after, Rows),
            [new("before training", result.Before.Answers), new("after training", result.After.Answers)], decoder);
        string failedBefore = Path.Combine(folder, "test-failures-before.png"), failedAfter = Path.Combine(folder, "test-failures-after.png");
        FailureSheet.Write(failedBefore, "Before training", result.Test, result.Before, decoder);
        FailureSheet.Write(failedAfter, "After training", result.Test, result.After, decoder);
        return [curves, answers, failedBefore, failedAfter];
    }

    private static bool[] Right(RecallReport report) => [.. report.FirstHit.Select(rank => rank == 1)];
}
