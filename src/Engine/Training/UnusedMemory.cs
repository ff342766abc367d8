namespace IlgpuNetVlad.Engine.Training;

/// <summary>What caches may take without driving others out.</summary>
internal static class UnusedMemory
{
    /// <summary>Bytes that other programs leave; on systems that do not say, what the machine has.</summary>
    public static long Bytes
    {
        get
        {
            const string source = "/proc/meminfo", name = "MemAvailable:";
            if (File.Exists(source) && File.ReadLines(source).FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal)) is { } line
                && long.TryParse(line[name.Length..].Trim().Split(' ')[0], out long kilobytes))
                return kilobytes << 10;
            return GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        }
    }
}
