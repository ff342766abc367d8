using IlgpuNetVlad.Engine.Data;

namespace IlgpuNetVlad.Engine.Reports;

/// <summary>A sheet of queries with the first answers of one network, or of several side by side.</summary>
public static class AnswerSheet
{
    /// <summary>Draws the query on the left, and the first answers of each network, framed as right or wrong by the set's truth.</summary>
    /// <param name="queries">Which queries, from top to bottom.</param>
    /// <param name="first">How many answers of each network.</param>
    /// <exception cref="UserErrorException">The place cannot be written, or the sheet is too large.</exception>
    public static void Write(
        string path, string title, Dataset set, IReadOnlyList<int> queries, IReadOnlyList<AnswerColumn> networks, IImageDecoder decoder, int first = 3)
    {
        List<string> headings = ["query"];
        foreach (var network in networks)
            headings.AddRange(["", network.Name, .. Enumerable.Repeat("", first - 1)]);
        var rows = new List<IReadOnlyList<SheetPicture?>>();
        foreach (var q in queries)
        {
            var truth = set.GroundTruth(q);
            List<SheetPicture?> row = [new(set.Queries[q].Path, PictureMark.Query, SheetCaption.Query(set, q))];
            foreach (var network in networks)
            {
                row.Add(null);
                for (var i = 0; i < first; i++)
                {
                    row.Add(i < network.Answers[q].Length && network.Answers[q][i] is var d
                        ? new SheetPicture(set.Database[d].Path, Array.BinarySearch(truth, d) >= 0 ? PictureMark.Right : PictureMark.Wrong, SheetCaption.Database(set, q, d))
                        : null);
                }
            }

            rows.Add(row);
        }

        PictureSheet.Write(path, title, headings, rows, decoder);
    }
}
