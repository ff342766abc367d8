using System.Globalization;

namespace IlgpuNetVlad.Engine.Data;

/// <summary>A half-open range of queries, counted from 0: 0-350 is the first 350, with the database images that answer them; 0-350/all with the whole database.</summary>
internal readonly record struct QueryRange(int Start, int End, bool WholeDatabase = false)
{
    private const string Whole = "/" + DatasetReader.All;

    /// <summary>False for anything but two whole numbers, the second larger.</summary>
    public static bool TryParse(string text, out QueryRange range)
    {
        range = default;
        var whole = text.EndsWith(Whole, StringComparison.Ordinal);
        if (whole)
            text = text[..^Whole.Length];
        var dash = text.IndexOf('-');
        if (dash < 0
            || !int.TryParse(text.AsSpan(0, dash), NumberStyles.None, CultureInfo.InvariantCulture, out var start)
            || !int.TryParse(text.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var end)
            || start >= end)
            return false;
        range = new QueryRange(start, end, whole);
        return true;
    }
}
