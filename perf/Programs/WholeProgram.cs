using System.Diagnostics;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Perf.Peers;

namespace IlgpuNetVlad.Perf.Programs;

/// <summary>One program from its start to its end.</summary>
internal static class WholeProgram
{
    /// <summary>How often its memory is looked at: the peak only grows, so the last look before its end misses little.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    /// <param name="PeakBytes">Most resident memory; null where the system does not tell.</param>
    public readonly record struct Outcome(double Seconds, long? PeakBytes);

    /// <param name="command">Program and arguments.</param>
    /// <exception cref="UserErrorException">It does not start, or fails.</exception>
    public static Outcome Run(string name, string[] command)
    {
        long begin = Stopwatch.GetTimestamp();
        Process process;
        try
        {
            // What it says about its progress is not for the table.
            process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true })!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new UserErrorException($"The program {name} does not start: {command[0]}: {e.Message}.", e);
        }
        using (process)
        {
            process.OutputDataReceived += (_, _) => { };
            process.BeginOutputReadLine();
            long? peak = null;
            while (!process.WaitForExit(Look))
                peak = ProcessMemory.Peak(process) ?? peak;
            double seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
            return process.ExitCode == 0 ? new(seconds, peak) : throw new UserErrorException($"The program {name} failed with exit code {process.ExitCode}: what it wrote above says why.");
        }
    }
}
