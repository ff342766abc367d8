using System.Diagnostics;
using System.Globalization;

namespace IlgpuNetVlad.App.Shell;

/// <summary>How fast a stretch of work goes, and how long the rest will take at that rate.</summary>
internal sealed class Pace(string what, long total, string unit)
{
    private readonly long start = Stopwatch.GetTimestamp();

    public string What { get; } = what;

    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(start);

    public long Done { get; set; }

    /// <summary>For example "120/400 images, 30 %, 61.0/s, 5 s left".</summary>
    public string Describe()
    {
        double seconds = Elapsed.TotalSeconds, rate = seconds > 0 ? Done / seconds : 0;
        string text = total > 0
            ? string.Create(CultureInfo.InvariantCulture, $"{Done}/{total} {unit}, {100.0 * Done / total:0} %")
            : string.Create(CultureInfo.InvariantCulture, $"{Done} {unit}");
        if (Done == 0)
            return text;
        text += string.Create(CultureInfo.InvariantCulture, $", {(rate < 10 ? $"{rate:0.00}" : $"{rate:0}")}/s");
        return total > Done ? $"{text}, {Span((total - Done) / rate)} left" : $"{text}, {Span(seconds)}";
    }

    private static string Span(double seconds) => seconds switch
    {
        < 99.5 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0} s"),
        < 99.5 * 60 => string.Create(CultureInfo.InvariantCulture, $"{seconds / 60:0} min"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600:0.0} h"),
    };
}
