namespace IlgpuNetVlad.Ptx;

/// <summary>The asynchronous copies of one thread: those started since the last commit, and the groups that are on their way.</summary>
internal sealed class PendingCopies
{
    private readonly Queue<List<(int Address, byte[] Bytes)>> groups = new();
    private List<(int Address, byte[] Bytes)> open = [];

    public void Clear()
    {
        groups.Clear();
        open = [];
    }

    public void Start(int address, byte[] bytes) => open.Add((address, bytes));

    public void Commit()
    {
        groups.Enqueue(open);
        open = [];
    }

    /// <summary>The oldest groups arrive until no more than so many are on their way.</summary>
    public void WaitForAllBut(int count, SharedMemory shared, int thread)
    {
        while (groups.Count > count)
            foreach (var (address, bytes) in groups.Dequeue())
                shared.EndCopy(address, bytes, thread);
    }
}
