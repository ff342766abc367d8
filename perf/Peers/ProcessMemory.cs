using System.Diagnostics;
using System.Globalization;

namespace IlgpuNetVlad.Perf.Peers;

/// <summary>What a process takes of the machine's memory.</summary>
internal static class ProcessMemory
{
    /// <summary>Most bytes that were resident at once, from its start until now (Linux's VmHWM); null elsewhere, and of a process that has ended.</summary>
    public static long? Peak(Process process)
    {
        try
        {
            string? line = File.ReadLines($"/proc/{process.Id}/status").FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? null : 1024 * long.Parse(line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            return null;
        }
    }
}
