using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Gpu;

/// <summary>Times work on a device by marks in its stream: events on a GPU, so that what the host takes to launch is not in it where the device has enough to do.</summary>
internal sealed class DeviceTimer(Device device) : IDisposable
{
    /// <summary>More than the L2 cache of any chip of these years: 256 MB.</summary>
    private const int ScrubFloats = 64 << 20;

    private const double WishedSeconds = 0.1;
    private const int MostRounds = 50;

    private readonly StreamMark begin = device.CreateMark(timed: true), end = device.CreateMark(timed: true);
    private readonly DeviceBuffer? scrub = device.IsHostMemory ? null : device.Allocate(ScrubFloats);

    /// <summary>Seconds of one run, the median of several after one to warm up; as many runs as fit into a tenth of a second.</summary>
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
        device.Kernels.Set(begin);
        work();
        device.Kernels.Set(end);
        return end.SecondsSince(begin);
    }

    public void Dispose()
    {
        scrub?.Dispose();
        begin.Dispose();
        end.Dispose();
    }
}
