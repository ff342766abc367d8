using IlgpuNetVlad.Engine.Data;

namespace IlgpuNetVlad.Engine.Reports;

/// <summary>A sheet of queries with a positive and negatives: the quickest way to see whether a truth is true.</summary>
public static class TripleSheet
{
    /// <summary>Draws one row a triple: query, positive, negatives.</summary>
    /// <exception cref="UserErrorException">The place cannot be written, or the sheet is too large.</exception>
    public static void Write(string path, string title, Dataset set, IReadOnlyList<Triple> triples, IImageDecoder decoder)
    {
        var negatives = triples.Select(triple => triple.Negatives.Count).DefaultIfEmpty(0).Max();
        List<string> headings = ["query", "positive"];
        headings.AddRange(Enumerable.Range(0, negatives).Select(i => i == 0 ? "negatives" : ""));
        var rows = new List<IReadOnlyList<SheetPicture?>>();
        foreach (var (q, positive, others) in triples)
        {
            rows.Add(
            [
                new SheetPicture(set.Queries[q].Path, PictureMark.Query, SheetCaption.Query(set, q)),
                positive is { } p ? new SheetPicture(set.Database[p].Path, PictureMark.Right, SheetCaption.Database(set, q, p)) : null,
                .. others.Select(n => new SheetPicture(set.Database[n].Path, PictureMark.Wrong, SheetCaption.Database(set, q, n))),
            ]);
        }

        PictureSheet.Write(path, title, headings, rows, decoder);
    }
}
