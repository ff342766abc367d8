using System.Diagnostics;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// A place in a stream's work, for others to wait for: set by <see cref="WorkStream.Set"/> as often as wanted, each time anew. A mark that was never set holds up nobody.
/// </summary>
public sealed class StreamMark : IDisposable
{
    private readonly Device device;
    private readonly bool timed;
    private bool set;

    /// <summary>When it was set last, where all before it had ended then.</summary>
    private long moment;

    internal StreamMark(Device device, bool timed)
    {
        this.device = device;
        this.timed = timed;
        if (!device.IsHostMemory)
        {
            device.Accelerator.Bind();
            Event = CudaDriver.CreateEvent(timed);
        }
    }

    /// <summary>CUDA's; 0 where the host itself computes, and all work has ended when its call returns.</summary>
    internal nint Event { get; private set; }

    /// <summary>The host waits until what stands before the mark has ended; its copies to the host may be read then.</summary>
    public void Wait()
    {
        if (!set)
            return;
        device.WorkObserver?.Happened(new(WorkKind.HostWait, Mark: this));
        if (Event == 0)
            return;
        device.Accelerator.Bind();
        CudaDriver.Wait(Event);
    }

    /// <summary>Seconds from another timed mark to this one, as the device's clock tells; both are waited for.</summary>
    public double SecondsSince(StreamMark other)
    {
        if (!timed || !other.timed || !set || !other.set)
            throw new InvalidOperationException("Time passes between two marks that were made to tell it, and were set.");
        other.Wait();
        Wait();
        return Event == 0 ? Stopwatch.GetElapsedTime(other.moment, moment).TotalSeconds : CudaDriver.Seconds(other.Event, Event);
    }

    internal void WasSet()
    {
        set = true;
        if (timed)
            moment = Stopwatch.GetTimestamp();
    }

    public void Dispose()
    {
        if (Event == 0)
            return;
        device.GiveUp(() =>
        {
            device.Accelerator.Bind();
            CudaDriver.Destroy(Event);
        });
        Event = 0;
    }
}
