namespace IlgpuNetVlad.PtxDriver;

/// <summary>
/// What a stream was given, done as late as it may be: when somebody waits for it. So whoever reads a result, or writes over an operand, without having waited finds the old numbers, each time and not
/// once in a thousand.
/// </summary>
internal sealed class WorkQueue
{
    private readonly Queue<Action> waiting = new();
    private long given, done;

    /// <summary>How much was given.</summary>
    public long Position => given;

    public void Give(Action work)
    {
        waiting.Enqueue(work);
        given++;
    }

    /// <summary>Does all that was given before a position.</summary>
    public void DoUntil(long position)
    {
        while (done < position)
        {
            var work = waiting.Dequeue();
            done++;
            work();
        }
    }

    public void DoAll() => DoUntil(given);
}
