using System.Globalization;
using IlgpuNetVlad.Engine.Data;
using IlgpuNetVlad.Engine.Retrieval;

namespace IlgpuNetVlad.Engine.Reports;

/// <summary>A sheet of the queries that a network gets wrong.</summary>
public static class FailureSheet
{
    private const int Rows = 10;

    /// <summary>Draws queries whose first answer is wrong, spread evenly over the set, with their first answers; those of no failure where there is none.</summary>
    /// <param name="title">Says of which network; the number of failures stands behind it.</param>
    /// <exception cref="UserErrorException">The place cannot be written.</exception>
    public static void Write(string path, string title, Dataset set, RecallReport report, IImageDecoder decoder)
    {
        bool[] wrong = [.. report.FirstHit.Select(rank => rank != 1)];
        AnswerSheet.Write(
            path, string.Create(CultureInfo.InvariantCulture, $"{title}: the first answer is wrong for {wrong.Count(w => w)} of {wrong.Length} queries"), set,
            QuerySample.Of(wrong, Rows), [new("first answers", report.Answers)], decoder, first: 5);
    }
}
