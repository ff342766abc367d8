using System.Diagnostics;
using IlgpuNetVlad.Engine;

namespace IlgpuNetVlad.App;

/// <summary>
/// Progress on the console: one line rewritten in place, with rate and time left, on a terminal; elsewhere a plain line at the end of each stretch of work
/// and every half minute in between. Everything goes to the error stream with --json, so that the output is the document alone.
/// </summary>
internal sealed class ConsoleProgress : IProgressSink
{
    private static readonly TimeSpan Redraw = TimeSpan.FromMilliseconds(150), Quiet = TimeSpan.FromSeconds(1), PlainEvery = TimeSpan.FromSeconds(30);

    private readonly TextWriter to;
    private readonly bool isTerminal;
    private readonly Lock gate = new();
    private string what = "", unit = "";
    private long total, done;
    private Stopwatch since = new();
    private TimeSpan drawn, told;
    private int drawnLength;

    public ConsoleProgress(bool toErrorStream)
    {
        to = toErrorStream ? Console.Error : Console.Out;
        isTerminal = !(toErrorStream ? Console.IsErrorRedirected : Console.IsOutputRedirected);
    }

    public void Begin(string what, long total, string unit)
    {
        lock (gate)
        {
            End();
            (this.what, this.total, this.unit, done) = (what, total, unit, 0);
            since = Stopwatch.StartNew();
            drawn = told = TimeSpan.Zero;
        }
    }

    public void Advance(long done)
    {
        lock (gate)
        {
            this.done = done;
            var now = since.Elapsed;
            if (isTerminal && now > Quiet && now - drawn > Redraw)
            {
                drawn = now;
                Draw(State());
            }
            else if (!isTerminal && now - told > PlainEvery)
            {
                told = now;
                to.WriteLine(State());
            }
        }
    }

    public void Line(string text)
    {
        lock (gate)
        {
            Erase();
            to.WriteLine(text);
        }
    }

    /// <summary>Ends the present stretch of work.</summary>
    public void Finish()
    {
        lock (gate)
            End();
    }

    private void End()
    {
        Erase();
        if (what.Length > 0 && since.Elapsed > Quiet)
            to.WriteLine($"{what}: {done} {unit} in {Span(since.Elapsed)}{(done > 0 ? $", {Rate()}" : "")}");
        what = "";
    }

    private string State()
    {
        string left = total > 0 && done > 0 ? $", {Span(since.Elapsed * ((double)(total - done) / done))} left" : "";
        return $"{what}: {done}{(total > 0 ? $" of {total}" : "")} {unit}{(done > 0 ? $", {Rate()}" : "")}{left}";
    }

    private string Rate()
    {
        double rate = done / Math.Max(since.Elapsed.TotalSeconds, 1e-3);
        return $"{(rate >= 100 ? rate.ToString("0") : rate.ToString("0.0"))} {unit}/s";
    }

    private void Draw(string text)
    {
        int width = Math.Max(20, Console.WindowWidth - 1);
        if (text.Length > width)
            text = text[..width];
        to.Write('\r' + text.PadRight(drawnLength));
        drawnLength = text.Length;
    }

    private void Erase()
    {
        if (drawnLength == 0)
            return;
        to.Write('\r' + new string(' ', drawnLength) + '\r');
        drawnLength = 0;
    }

    private static string Span(TimeSpan span)
        => span.TotalSeconds < 10 ? $"{span.TotalSeconds:0.0} s" : span.TotalMinutes < 2 ? $"{span.TotalSeconds:0} s" : span.TotalHours < 2 ? $"{span.TotalMinutes:0} min" : $"{span.TotalHours:0.0} h";
}
