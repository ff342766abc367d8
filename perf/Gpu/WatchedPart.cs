using System.Diagnostics;
using System.Globalization;
using IlgpuNetVlad.Engine;

namespace IlgpuNetVlad.Perf.Gpu;

/// <summary>
/// A part of the run book in processes of its own. A kernel's fault takes the GPU away from its process, and a kernel that never ends lets nobody end it but the system: so each is recorded where it
/// happened, its process is ended, and another goes on behind it.
/// </summary>
/// <param name="changed">Is told that there is something new, at most each <see cref="TellSeconds"/>.</param>
internal sealed class WatchedPart(GpuOptions options, GpuPart part, GpuProgress progress, Action changed)
{
    /// <summary>What such a process returns where another is to go on.</summary>
    public const int Again = 3;

    /// <summary>With this begins what is said of work that did not end.</summary>
    public const string Overran = "it never ended";

    private const double TellSeconds = 2, LookSeconds = 0.05;

    /// <summary>So long a process may take between two pieces of work: it may compile all kernels, for minutes on two cores. Less than perf/Gpu/run has patience, so that it is said.</summary>
    private const double IdleSeconds = 250;

    /// <summary>On a machine where rows take longer all does.</summary>
    private const double IdleRows = 10;

    /// <summary>So long the system may take to end a process.</summary>
    private const double KillSeconds = 15;

    /// <param name="rowSeconds">So long one piece of work may take.</param>
    /// <param name="restartSeconds">No process is started after so many.</param>
    /// <param name="secondsLeft">What the process is told of the time.</param>
    /// <returns>Whether it came to its end.</returns>
    /// <exception cref="UserErrorException">It does nothing at all.</exception>
    public bool Run(double rowSeconds, double restartSeconds, Func<int> secondsLeft)
    {
        long begin = Stopwatch.GetTimestamp();
        while (true)
        {
            int before = progress.Ended.Count();
            using var process = Process.Start(new ProcessStartInfo(OwnProgram.Words.First(), [.. OwnProgram.Words.Skip(1), .. options.WordsFor(part, secondsLeft())]))!;
            string? killed = Watch(process, rowSeconds);
            progress.Read();
            if (progress.UnderWay is { } line)
            {
                string why = killed ?? string.Create(CultureInfo.InvariantCulture, $"its process ended with code {process.ExitCode}");
                progress.End(line.Failed(why));
                progress.Read();
            }
            else if (killed is null && process.ExitCode == 0)
            {
                changed();
                return true;
            }
            changed();
            if (progress.Ended.Count() == before)
            {
                string said = $"The part {part.ToString().ToLowerInvariant()} of the run book ended before it found anything{(before > 0 ? " more" : "")}{(killed is null ? "" : $" ({killed})")}: what it said stands above.";
                if (before == 0)
                    throw new UserErrorException(said);
                Console.Error.WriteLine(said);
                return false;
            }
            if (Stopwatch.GetElapsedTime(begin).TotalSeconds > restartSeconds)
                return false;
        }
    }

    /// <returns>Why it was ended; null where it ended by itself.</returns>
    private string? Watch(Process process, double rowSeconds)
    {
        long last = Stopwatch.GetTimestamp(), told = last;
        bool news = false;
        while (!process.WaitForExit(TimeSpan.FromSeconds(LookSeconds)))
        {
            if (progress.Read())
                (last, news) = (Stopwatch.GetTimestamp(), true);
            if (news && Stopwatch.GetElapsedTime(told).TotalSeconds > TellSeconds)
            {
                changed();
                (told, news) = (Stopwatch.GetTimestamp(), false);
            }
            double limit = progress.UnderWay is null ? Math.Max(IdleSeconds, IdleRows * rowSeconds) : rowSeconds;
            if (Stopwatch.GetElapsedTime(last).TotalSeconds <= limit)
                continue;
            process.Kill();
            if (!process.WaitForExit(TimeSpan.FromSeconds(KillSeconds)))
                throw new UserErrorException($"The process {process.Id} hangs in {progress.UnderWay?.What ?? "its own work"} and cannot be ended: restart the machine, or reset the GPU.");
            return string.Create(CultureInfo.InvariantCulture, $"{Overran}: it was stopped after {limit:0.#} s");
        }
        return null;
    }
}
