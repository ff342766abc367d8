using System.Diagnostics;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Gpu;

/// <summary>
/// The run book for a machine with a GPU: is every kernel right, how fast is the whole, how fast is each. This process does not touch the GPU; those that do are watched (<see cref="WatchedPart"/>), and
/// what they found is written as it comes, so that a run that is cut short leaves all of it.
/// </summary>
internal static class GpuRun
{
    /// <summary>Of the time for measurements, what the check may have gone through when it is begun once more behind a fault; the times want the rest.</summary>
    private const double CheckShare = 0.5;

    /// <summary>A time takes several runs, and a network that is made for it.</summary>
    private const int TimeRows = 3;

    /// <returns>The code with which the process is to end: 0 where every kernel agreed with the processor.</returns>
    public static int Run(GpuOptions options)
    {
        KeptKernels.Folder = KeptKernels.UsualFolder;
        switch (options.Part)
        {
            case GpuPart.Metrics:
                Console.WriteLine(CounterTable.Metrics);
                return 0;
            case GpuPart.Launch:
                LaunchPart.Run(options);
                return 0;
            case GpuPart.Counters:
                CounterTable.Write(options, options.Ncu);
                return 0;
            case GpuPart.Compare:
                return Watched(() => ComparePart.Run(options));
            case GpuPart.Times:
                return Watched(() => TimesPart.Run(options));
            default:
                return Watch(options);
        }
    }

    /// <summary>What was found stands in a file, and another process goes on: an exception is nothing to keep a dump of.</summary>
    private static int Watched(Func<int> part)
    {
        try
        {
            return part();
        }
        catch (Exception e) when (e is not UserErrorException)
        {
            Console.Error.WriteLine(e);
            return WatchedPart.Again;
        }
    }

    private static int Watch(GpuOptions options)
    {
        long begin = Stopwatch.GetTimestamp();
        int Left() => Math.Max(1, options.Seconds - (int)Stopwatch.GetElapsedTime(begin).TotalSeconds);
        var check = new GpuProgress(options.CheckFile);
        var times = new GpuProgress(options.TimesFile);
        check.Clear();
        times.Clear();
        var report = new GpuReport(options, check, times);
        new WatchedPart(options, GpuPart.Compare, check, report.Write).Run(options.RowSeconds, CheckShare * options.Seconds, Left);
        Console.WriteLine(report.Agreement);
        if (options.Part == GpuPart.All)
            Times(options, times, report, Left);
        return report.AllRight ? 0 : 1;
    }

    private static void Times(GpuOptions options, GpuProgress times, GpuReport report, Func<int> left)
    {
        try
        {
            new WatchedPart(options, GpuPart.Times, times, report.Write).Run(TimeRows * options.RowSeconds, left(), left);
        }
        catch (UserErrorException e)
        {
            // What the check found stands.
            Console.Error.WriteLine(e.Message);
        }
    }
}
