using System.Globalization;

namespace IlgpuNetVlad.Engine.Data;

/// <summary>A half-open range of queries, counted from 0: 0-350 is the first 350.</summary>
internal readonly record struct QueryRange(int Start, int End)
{
    /// <summary>False for anything but two whole numbers, the second larger.</summary>
    public static bool TryParse(string text, out QueryRange range)
    {
        range = default;
        var dash = text.IndexOf('-');
        if (dash < 0
            || !int.TryParse(text.AsSpan(0, dash), NumberStyles.None, CultureInfo.InvariantCulture, out var start)
            || !int.TryParse(text.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var end)
            || start >= end)
            return false;
        range = new QueryRange(start, end);
        return true;
    }
}
