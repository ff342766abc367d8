using System.Globalization;

namespace IlgpuNetVlad.Engine.Data;

/// <summary>Reads capture times as datasets write them.</summary>
internal static class CaptureTime
{
    private static readonly string[] Dates =
    [
        "yyyyMMdd", "yyyyMM", "yyyy", "yyyyMMdd_HH", "yyyyMMdd_HHmm", "yyyyMMdd_HHmmss", "yyyyMMdd'T'HHmmss",
        "yyyy-MM-dd", "yyyy-MM", "yyyy-MM-dd HH:mm", "yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ss'Z'",
    ];

    /// <summary>
    /// Seconds since 1970. Dates win over plain seconds, so that 201403 is a month and 20140312 a day of the years 1900 to 2199; any other number
    /// is seconds.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<char> text, out double seconds)
    {
        text = text.Trim();
        if (DateTime.TryParseExact(text, Dates, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var date)
            && date.Year is >= 1900 and < 2200)
        {
            seconds = (date - DateTime.UnixEpoch).TotalSeconds;
            return true;
        }

        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out seconds) && double.IsFinite(seconds);
    }
}
