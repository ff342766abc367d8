using System.Globalization;

namespace IlgpuNetVlad.Engine.Data;

/// <summary>
/// Half-open ranges of queries, counted from 0, ascending and apart: 0-350 is the first 350, 0-100,200-350 leaves a gap; with the database images that answer them, or with /all behind
/// with the whole database.
/// </summary>
internal sealed record QueryRanges(IReadOnlyList<(int Start, int End)> Pieces, bool WholeDatabase = false)
{
    public const string Whole = "/" + DatasetReader.All;

    /// <summary>The first query that no range reaches any more.</summary>
    public int End => Pieces[^1].End;

    public IEnumerable<int> Queries => Pieces.SelectMany(p => Enumerable.Range(p.Start, p.End - p.Start));

    /// <summary>Null for anything but pairs of whole numbers that ascend from the first to the last.</summary>
    public static QueryRanges? Parse(string text)
    {
        var whole = text.EndsWith(Whole, StringComparison.Ordinal);
        List<(int Start, int End)> pieces = [];
        foreach (var piece in (whole ? text[..^Whole.Length] : text).Split(','))
        {
            var dash = piece.IndexOf('-');
            if (dash < 0
                || !int.TryParse(piece.AsSpan(0, dash), NumberStyles.None, CultureInfo.InvariantCulture, out var start)
                || !int.TryParse(piece.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var end)
                || start >= end || pieces.Count > 0 && start < pieces[^1].End)
                return null;
            pieces.Add((start, end));
        }
        return new(pieces, whole);
    }

    /// <summary>As <see cref="Parse"/> reads it.</summary>
    public override string ToString()
        => string.Join(',', Pieces.Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.Start}-{p.End}"))) + (WholeDatabase ? Whole : "");
}
