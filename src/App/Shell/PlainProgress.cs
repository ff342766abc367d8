using IlgpuNetVlad.Engine;

namespace IlgpuNetVlad.App.Shell;

/// <summary>Lines that stay, few of them: for files and pipes.</summary>
internal sealed class PlainProgress(TextWriter output) : IProgressSink, IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10), Quiet = TimeSpan.FromSeconds(3);

    private readonly Lock gate = new();
    private Pace? pace;
    private TimeSpan shown;

    public void Begin(string what, long total, string unit)
    {
        lock (gate)
        {
            Finish();
            pace = new(what, total, unit);
        }
    }

    public void Advance(long done)
    {
        lock (gate)
        {
            if (pace is null)
                return;
            pace.Done = done;
            if (pace.Elapsed - shown < Interval)
                return;
            shown = pace.Elapsed;
            output.WriteLine($"{pace.What}: {pace.Describe()}");
        }
    }

    public void Line(string text)
    {
        lock (gate)
            output.WriteLine(text);
    }

    /// <summary>Ends the present stretch.</summary>
    public void Dispose()
    {
        lock (gate)
            Finish();
    }

    private void Finish()
    {
        if (pace is not null && pace.Elapsed > Quiet)
            output.WriteLine($"{pace.What}: {pace.Describe()}");
        pace = null;
        shown = default;
    }
}
