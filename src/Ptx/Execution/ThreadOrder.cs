namespace IlgpuNetVlad.Ptx;

/// <summary>
/// What each thread of a block knows of the others beside what barriers of the whole block tell: who arrives at an mbarrier hands over what it knows, and who sees the phase end takes it. Two
/// accesses are ordered if the second thread knows of a release behind the first. A vector clock for each thread, over threads and mbarriers; the latter stand for bytes that copies bring.
/// </summary>
internal sealed class ThreadOrder(int threads)
{
    /// <summary>Most mbarriers of a block.</summary>
    public const int MostBarriers = 64;

    private readonly int[][] known = [.. Enumerable.Range(0, threads).Select(_ => new int[threads + MostBarriers])];
    private int now;

    /// <summary>When an access happens: before every release that follows.</summary>
    public int Now => now;

    /// <summary>Numbers of a clock.</summary>
    public int Length => threads + MostBarriers;

    /// <summary>The agent that stands for the copies of an mbarrier.</summary>
    public int AgentOf(int barrier) => threads + barrier;

    public bool IsThread(int agent) => agent < threads;

    public void Clear()
    {
        foreach (int[] clock in known)
            Array.Clear(clock);
        now = 1;
    }

    /// <summary>A thread hands over what it did and knows.</summary>
    public void Release(int thread, int[] to)
    {
        known[thread][thread] = ++now;
        Join(to, known[thread]);
    }

    /// <summary>A thread takes what was handed over.</summary>
    public void Acquire(int thread, int[] from) => Join(known[thread], from);

    /// <summary>Whether a thread knows what an agent did at a time.</summary>
    public bool Knows(int thread, int agent, int time) => known[thread][agent] > time;

    private static void Join(int[] to, int[] from)
    {
        for (int i = 0; i < to.Length; i++)
            to[i] = Math.Max(to[i], from[i]);
    }
}
