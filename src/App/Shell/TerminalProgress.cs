using IlgpuNetVlad.Engine;

namespace IlgpuNetVlad.App.Shell;

/// <summary>One line that is rewritten, on a terminal.</summary>
internal sealed class TerminalProgress(TextWriter output) : IProgressSink, IDisposable
{
    private const string EraseLine = "\r\e[K";
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100), Quiet = TimeSpan.FromSeconds(1);

    private readonly Lock gate = new();
    private Pace? pace;
    private TimeSpan shown;

    public void Begin(string what, long total, string unit)
    {
        lock (gate)
        {
            Finish();
            pace = new(what, total, unit);
            Show();
        }
    }

    public void Advance(long done)
    {
        lock (gate)
        {
            if (pace is null)
                return;
            pace.Done = done;
            if (pace.Elapsed - shown >= Interval)
                Show();
        }
    }

    public void Line(string text)
    {
        lock (gate)
        {
            output.WriteLine($"{EraseLine}{text}");
            if (pace is not null)
                Show();
        }
    }

    /// <summary>Ends the line.</summary>
    public void Dispose()
    {
        lock (gate)
            Finish();
    }

    private void Finish()
    {
        if (pace is null)
            return;
        output.Write(EraseLine);
        if (pace.Elapsed > Quiet)
            output.WriteLine(Text());
        pace = null;
        shown = default;
    }

    private void Show()
    {
        shown = pace!.Elapsed;
        // A line that wraps could not be rewritten.
        string text = Text();
        int width = Width();
        output.Write(EraseLine + (text.Length >= width ? text[..(width - 1)] : text));
    }

    private string Text() => $"{pace!.What}: {pace.Describe()}";

    private static int Width()
    {
        try
        {
            return Math.Max(20, Console.WindowWidth);
        }
        catch (IOException)
        {
            return 80;
        }
    }
}
