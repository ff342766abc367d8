using System.Diagnostics;
using System.Globalization;
using IlgpuNetVlad.Engine;

namespace IlgpuNetVlad.Perf.Peers;

/// <summary>
/// An engine in a process of its own, which is stopped between its turns. It writes <c>ready SECONDS</c> once it has loaded; then
/// <c>input PATH</c> lets it begin anew with raw numbers, warm up and write <c>ok</c>; <c>go</c> runs once, <c>output PATH</c> runs once and stores what it found as raw numbers, and
/// it writes the run's seconds. perf/README.md says which numbers each work has.
/// </summary>
internal sealed class PeerProcess : IDisposable
{
    private readonly Process process;

    /// <param name="command">Program and arguments.</param>
    /// <exception cref="UserErrorException">It does not start, or does not get ready.</exception>
    public PeerProcess(string name, IReadOnlyList<string> command)
    {
        Name = name;
        try
        {
            process = Process.Start(new ProcessStartInfo(command[0], command.Skip(1))
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            })!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new UserErrorException($"The peer {name} does not start: {command[0]}: {e.Message}.", e);
        }
        string first = Read();
        if (!first.StartsWith("ready ", StringComparison.Ordinal))
        {
            Dispose();
            throw new UserErrorException($"The peer {name} wrote \"{first}\" instead of \"ready\".");
        }
        ProcessPause.Pause(process);
    }

    public string Name { get; }

    /// <summary>Most memory that the process ever had at once, its libraries included; null where the system does not tell.</summary>
    public long? PeakBytes => ProcessMemory.Peak(process);

    public void Input(string path) => Ask($"input {path}");

    /// <returns>Seconds of one run, by the peer's own clock.</returns>
    public double Go() => Seconds(Ask("go"));

    public void Output(string path) => Seconds(Ask($"output {path}"));

    private double Seconds(string answer)
        => double.TryParse(answer, CultureInfo.InvariantCulture, out double seconds)
            ? seconds
            : throw new UserErrorException($"The peer {Name} wrote \"{answer}\" instead of seconds.");

    private string Ask(string line)
    {
        ProcessPause.Resume(process);
        process.StandardInput.WriteLine(line);
        process.StandardInput.Flush();
        string answer = Read();
        ProcessPause.Pause(process);
        return answer;
    }

    private string Read() => process.StandardOutput.ReadLine() ?? throw new UserErrorException($"The peer {Name} ended before it answered; what it wrote last says why.");

    public void Dispose()
    {
        if (!process.HasExited)
            process.Kill();
        process.Dispose();
    }
}
