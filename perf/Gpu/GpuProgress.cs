using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace IlgpuNetVlad.Perf.Gpu;

/// <summary>
/// How far a part of the run book is, in a file to which the process that does it adds a line before and behind each piece of work. Whoever ends that process, or is ended with it, finds there what was
/// found, and what was under way.
/// </summary>
internal sealed class GpuProgress(string path)
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    };

    private readonly List<GpuLine> lines = [];
    private long read;

    /// <summary>Lines that were read.</summary>
    public int Count => lines.Count;

    /// <summary>What was begun last and has not ended; null for nothing.</summary>
    public GpuLine? UnderWay => lines.Count > 0 && lines[^1].Begun ? lines[^1] : null;

    /// <summary>What has ended.</summary>
    public IEnumerable<GpuLine> Ended => lines.Where(l => l is { Begun: false, What: not null });

    /// <summary>The device of the last process.</summary>
    public GpuLine? Device => lines.LastOrDefault(l => l.Device is not null);

    /// <summary>Begins anew.</summary>
    public void Clear()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        File.WriteAllText(path, "");
        lines.Clear();
        read = 0;
    }

    /// <summary>Reads what has come since.</summary>
    /// <returns>Whether something has.</returns>
    public bool Read()
    {
        if (!File.Exists(path))
            return false;
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        stream.Position = read;
        byte[] bytes = new byte[stream.Length - read];
        stream.ReadExactly(bytes);
        // A line that is only half there is read when it is whole.
        int whole = Array.LastIndexOf(bytes, (byte)'\n') + 1;
        read += whole;
        foreach (string line in Encoding.UTF8.GetString(bytes, 0, whole).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            lines.Add(JsonSerializer.Deserialize<GpuLine>(line, Json)!);
        return whole > 0;
    }

    /// <summary>Says on the screen and in the file that a piece of work begins, before anything of it can go wrong.</summary>
    public void Begin(GpuLine line)
    {
        Console.WriteLine(line.What);
        Add(line.Failed("nothing came of it") with { Begun = true });
    }

    /// <summary>Says what came of it.</summary>
    public void End(GpuLine line)
    {
        if (line.Printed is { } printed)
            Console.WriteLine(printed);
        Add(line);
    }

    public void Add(GpuLine line)
    {
        // One call of the system a line.
        using var stream = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        stream.Write(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(line, Json) + "\n"));
    }
}
