using System.Diagnostics;
using System.Globalization;
using IlgpuNetVlad.Engine;

namespace IlgpuNetVlad.Perf.Peers;

/// <summary>
/// Another engine in a process of its own, which is stopped between its turns. It writes <c>ready SECONDS</c> once it has loaded and warmed up; then
/// <c>input PATH</c> gives it raw fp32 [1,3,H,W] and it writes <c>ok</c>; <c>go</c> runs once, <c>output PATH</c> runs once and stores the last map as raw fp32 [1,D,H,W], and
/// it writes the run's seconds.
/// </summary>
internal sealed class PeerProcess : IDisposable
{
    private readonly Process process;

    /// <param name="command">Program and arguments, separated by spaces.</param>
    /// <exception cref="UserErrorException">It does not start, or does not get ready.</exception>
    public PeerProcess(string name, string command)
    {
        Name = name;
        string[] words = command.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        try
        {
            process = Process.Start(new ProcessStartInfo(words[0], words[1..])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            })!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new UserErrorException($"The peer {name} does not start: {words[0]}: {e.Message}.", e);
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
