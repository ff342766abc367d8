namespace IlgpuNetVlad.Kernels;

/// <summary>
/// Tasks of the host one after the other, without a wait of all threads between neighbours: whoever finds no tile left takes one of the next task, as soon as the tasks are over that this one says it
/// comes after. Where each task were waited for, a thread would idle for half a tile at the end of each.
/// </summary>
internal sealed class HostSequence
{
    private readonly List<Part> parts = [];
    private int tiles, over;

    private sealed class Part(IHostTask task, int first, int end, int after)
    {
        public readonly IHostTask Task = task;
        public readonly int First = first, End = end, After = after;
        public int Left = end - first;
    }

    /// <summary>Number of tasks so far.</summary>
    public int Count => parts.Count;

    /// <param name="after">Tasks, counted from the first, that must be over before it begins: fewer than there are.</param>
    public void Add<TTask>(int count, in TTask task, int after)
        where TTask : struct, IHostTask
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(after, parts.Count);
        parts.Add(new(task, tiles, tiles += count, after));
    }

    /// <summary>Runs all; once.</summary>
    public void Run(Device device) => device.RunHost(tiles, new Tile(this));

    private readonly struct Tile(HostSequence sequence) : IHostTask
    {
        public void Run(int tile, int worker) => sequence.RunTile(tile, worker);
    }

    private void RunTile(int tile, int worker)
    {
        // Tiles are taken in order, so this one belongs to a task that is not over.
        int index = Volatile.Read(ref over);
        while (tile >= parts[index].End)
            index++;
        var part = parts[index];
        try
        {
            Await(part.After);
            part.Task.Run(tile - part.First, worker);
        }
        finally
        {
            // Also where it failed: the others must not wait for ever.
            Interlocked.Decrement(ref part.Left);
        }
    }

    /// <summary>Returns when so many tasks are over. Those that hold the tiles that it waits for wait for earlier ones alone, so somebody always goes on.</summary>
    private void Await(int count)
    {
        var wait = new SpinWait();
        while (true)
        {
            int now = Volatile.Read(ref over);
            if (now >= count)
                return;
            if (Volatile.Read(ref parts[now].Left) == 0)
                Interlocked.CompareExchange(ref over, now + 1, now);
            else
                wait.SpinOnce(sleep1Threshold: -1);
        }
    }
}
