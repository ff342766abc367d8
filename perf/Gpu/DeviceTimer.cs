using System.Diagnostics;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Gpu;

/// <summary>Times work on a device, from an idle device to an idle device.</summary>
internal sealed class DeviceTimer(Device device) : IDisposable
{
    /// <summary>More than the L2 cache of any chip of these years: 256 MB.</summary>
    private const int ScrubFloats = 64 << 20;

    private const double WishedSeconds = 0.3;
    private const int MostRounds = 50;

    private readonly DeviceBuffer? scrub = device.IsHostMemory ? null : device.Allocate(ScrubFloats);

    /// <summary>Seconds of one run, the median of several after one to warm up; as many runs as fit into a third of a second.</summary>
    /// <param name="cold">Empties the L2 cache before each run.</param>
    public double Seconds(Action work, bool cold)
    {
        double once = Once(work, cold);
        once = Math.Min(once, Once(work, cold));
        var times = new double[(int)Math.Clamp(WishedSeconds / once, 1, MostRounds)];
        for (int i = 0; i < times.Length; i++)
            times[i] = Once(work, cold);
        Array.Sort(times);
        return times[times.Length / 2];
    }

    private double Once(Action work, bool cold)
    {
        if (cold && scrub is not null)
            device.Clear(scrub);
        device.Synchronize();
        long begin = Stopwatch.GetTimestamp();
        work();
        device.Synchronize();
        return Stopwatch.GetElapsedTime(begin).TotalSeconds;
    }

    public void Dispose() => scrub?.Dispose();
}
