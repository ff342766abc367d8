using System.Diagnostics;

namespace IlgpuNetVlad.Perf.TorchSharp;

/// <summary>Something that <c>perf peers</c> lets run.</summary>
internal interface IPeerWork
{
    /// <summary>Begins anew with the numbers of a file.</summary>
    void Take(string path);

    void Run();

    /// <summary>What the last run found.</summary>
    byte[] Answer();
}

/// <summary>The lines that perf/README.md lists.</summary>
internal static class LineServer
{
    public static void Serve(IPeerWork work)
    {
        Say("ready 0");
        while (Console.ReadLine() is { } line)
        {
            if (line.StartsWith("input ", StringComparison.Ordinal))
            {
                work.Take(line[6..]);
                work.Run();
                work.Take(line[6..]);
                Say("ok");
                continue;
            }
            long begin = Stopwatch.GetTimestamp();
            work.Run();
            double seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
            if (line.StartsWith("output ", StringComparison.Ordinal))
                File.WriteAllBytes(line[7..], work.Answer());
            Say(seconds.ToString());
        }
    }

    private static void Say(string line)
    {
        Console.WriteLine(line);
        Console.Out.Flush();
    }
}
