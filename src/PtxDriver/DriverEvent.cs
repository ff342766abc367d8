using System.Diagnostics;

namespace IlgpuNetVlad.PtxDriver;

/// <summary>A place in a stream's work, as it was recorded last; before that it holds up nobody.</summary>
internal sealed class DriverEvent(bool timed)
{
    private readonly bool timed = timed;
    private WorkQueue? queue;
    private long position;
    private long? moment;

    public void Record(WorkQueue on)
    {
        on.Give(() => moment = Stopwatch.GetTimestamp());
        (queue, position, moment) = (on, on.Position, null);
    }

    /// <summary>Does what stands before it.</summary>
    public void Wait() => queue?.DoUntil(position);

    /// <summary>What a stream is given from now on comes after the event as it is recorded now.</summary>
    public void Hold(WorkQueue held)
    {
        var (awaited, until) = (queue, position);
        if (awaited is not null)
            held.Give(() => awaited.DoUntil(until));
    }

    public float MillisecondsTo(DriverEvent later)
        => !timed || !later.timed ? throw new DriverException(CudaResult.InvalidHandle, "An event that was made without timing tells no time.")
            : moment is { } from && later.moment is { } to ? (float)Stopwatch.GetElapsedTime(from, to).TotalMilliseconds
            : throw new DriverException(CudaResult.InvalidHandle, "An event that has not happened tells no time.");
}
