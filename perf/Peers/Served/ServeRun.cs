using System.Diagnostics;
using System.Globalization;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Peers.Served;

/// <summary>
/// <c>serve</c>: this engine in a process of its own, with the lines that every peer speaks (<see cref="PeerProcess"/>), so that it is started, stopped, timed and weighed as
/// they are.
/// </summary>
internal static class ServeRun
{
    /// <param name="words">The work's name and what it needs, as <see cref="IComparedWork.Own"/> gives them.</param>
    public static void Run(ReadOnlySpan<string> words)
    {
        using var device = Device.Cpu();
        using IServedWork work = words switch
        {
            ["network", var name, var weights, var batch, var height, var width] => new ServedNetwork(device, name, weights, Number(batch), Number(height), Number(width)),
            ["search", var database, var dimensions, var depth] => new ServedSearch(device, database, Number(dimensions), Number(depth)),
            ["pca", var dimensions, var components] => new ServedPca(device, Number(dimensions), Number(components)),
            ["train", var first, var weights, var maps, var height, var width] => new ServedTraining(device, first, weights, maps == "-" ? null : maps, Number(height), Number(width)),
            _ => throw new UserErrorException($"serve {string.Join(' ', words)} is not understood: perf peers starts it."),
        };
        Say("ready 0");
        while (Console.ReadLine() is { } line)
        {
            if (line.StartsWith("input ", StringComparison.Ordinal))
            {
                string path = line["input ".Length..];
                work.Take(path);
                WarmUp(work);
                work.Take(path);
                Say("ok");
                continue;
            }
            long begin = Stopwatch.GetTimestamp();
            work.Run();
            double seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
            if (line.StartsWith("output ", StringComparison.Ordinal))
                File.WriteAllBytes(line["output ".Length..], work.Answer());
            Say(seconds.ToString(CultureInfo.InvariantCulture));
        }
    }

    /// <summary>The runtime compiles what runs often once more, and better: beside the work, a tenth of a second after it saw that it does.</summary>
    private static void WarmUp(IServedWork work)
    {
        long begin = Stopwatch.GetTimestamp();
        for (int runs = 0; Stopwatch.GetElapsedTime(begin).TotalSeconds is var passed && (passed < 2 || runs < 60 && passed < 6); runs++)
            work.Run();
    }

    private static void Say(string line)
    {
        Console.WriteLine(line);
        Console.Out.Flush();
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
