using System.Diagnostics;
using System.Runtime.InteropServices;

namespace IlgpuNetVlad.Perf.Peers;

/// <summary>
/// Stops a process and lets it go on. Engines whose threads spin while they wait for work would take the cores from whoever is timed next; stopped, they cannot.
/// On Linux; elsewhere nothing happens.
/// </summary>
internal static partial class ProcessPause
{
    private const int Continue = 18, Stop = 19;

    public static void Pause(Process process) => Send(process, Stop);

    public static void Resume(Process process) => Send(process, Continue);

    private static void Send(Process process, int signal)
    {
        if (OperatingSystem.IsLinux() && !process.HasExited)
            _ = Kill(process.Id, signal);
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
