namespace IlgpuNetVlad.Ptx;

/// <summary>
/// The mbarrier objects of a block (PTX ISA, "mbarrier"): each counts arrivals, and bytes that copies are to bring; a phase ends when neither is missing, and the next begins with the same count.
/// </summary>
internal sealed class MemoryBarriers(SharedMemory shared, ThreadOrder order)
{
    public const int Bytes = 8;

    private readonly Dictionary<int, State> barriers = [];
    private int made;

    private sealed class State(int index, int count, int[] gathering, int[] ended)
    {
        public int Index => index;
        public int Count => count;

        /// <summary>Arrivals and bytes that the present phase still waits for, and how many have ended.</summary>
        public int Missing, Transactions, Phase;

        /// <summary>What those who arrived know, and what they knew when the last phase ended.</summary>
        public int[] Gathering => gathering;

        /// <inheritdoc cref="Gathering"/>
        public int[] Ended => ended;

        /// <summary>Who made it, when, and how many fences he had passed.</summary>
        public int Maker, Epoch, Time, Fences;
    }

    public void Clear()
    {
        barriers.Clear();
        made = 0;
    }

    /// <returns>What is wrong with it, or null.</returns>
    public (PtxFaultKind, string)? Make(int address, uint count, int thread)
    {
        if (count is 0 or >= 1u << 20)
            return (PtxFaultKind.Barrier, $"an mbarrier waits for 1 to 1,048,575 arrivals, not {count}");
        if (made == ThreadOrder.MostBarriers)
            return (PtxFaultKind.Barrier, $"a block has at most {ThreadOrder.MostBarriers} mbarriers here");
        if (shared.BecomeBarrier(address, Bytes, thread) is { } wrong)
            return wrong;
        barriers[address] = new(made++, (int)count, new int[order.Length], new int[order.Length]) { Missing = (int)count, Maker = thread, Epoch = shared.Epoch, Time = order.Now, Fences = shared.BarrierFences(thread) };
        return null;
    }

    /// <inheritdoc cref="Make"/>
    public (PtxFaultKind, string)? Remove(int address, int thread)
    {
        if (Used(address, thread) is { } wrong)
            return wrong;
        barriers.Remove(address);
        shared.NoBarrier(address, Bytes);
        return null;
    }

    /// <summary>A thread arrives so many times, and says how many bytes are to come.</summary>
    /// <inheritdoc cref="Make"/>
    public (PtxFaultKind, string)? Arrive(int address, int arrivals, int bytes, int thread)
    {
        if (Used(address, thread) is { } wrong)
            return wrong;
        var barrier = barriers[address];
        if (arrivals > barrier.Missing)
            return (PtxFaultKind.Barrier, $"{arrivals} arrivals at the mbarrier at {address}, whose phase waits for {barrier.Missing} of {barrier.Count}");
        if (arrivals > 0)
            order.Release(thread, barrier.Gathering);
        barrier.Missing -= arrivals;
        barrier.Transactions += bytes;
        EndPhase(barrier);
        return null;
    }

    /// <summary>Bytes have come.</summary>
    /// <returns>Whether that ends the phase.</returns>
    public bool Complete(int address, int bytes)
    {
        if (!barriers.TryGetValue(address, out var barrier))
            return false;
        int phase = barrier.Phase;
        barrier.Transactions -= bytes;
        EndPhase(barrier);
        return barrier.Phase != phase;
    }

    /// <summary>Whether the phase of a parity has ended; then the thread knows what those knew who arrived.</summary>
    public bool HasEnded(int address, int parity, int thread)
    {
        var barrier = barriers[address];
        if ((barrier.Phase & 1) == parity)
            return false;
        order.Acquire(thread, barrier.Ended);
        return true;
    }

    /// <summary>What is wrong where a thread uses it, or lets a copy use it, or null.</summary>
    /// <param name="byCopy">The copy sees it only behind a fence.</param>
    public (PtxFaultKind, string)? Used(int address, int thread, bool byCopy = false)
    {
        if (!barriers.TryGetValue(address, out var barrier))
            return (PtxFaultKind.Barrier, $"there is no mbarrier at {address}");
        if (barrier.Epoch == shared.Epoch && barrier.Maker != thread && !order.Knows(thread, barrier.Maker, barrier.Time))
            return (PtxFaultKind.Race, $"the mbarrier at {address} is used, and thread {barrier.Maker} makes it with no barrier between");
        if (byCopy && shared.BarrierFences(barrier.Maker) == barrier.Fences)
            return (PtxFaultKind.Unfenced, $"a copy uses the mbarrier at {address}, and thread {barrier.Maker} made it with no fence.mbarrier_init or fence.proxy.async behind");
        return null;
    }

    /// <summary>The agent of an mbarrier's copies, and the phase that they belong to.</summary>
    public (int Agent, int Phase) CopiesOf(int address) => barriers.TryGetValue(address, out var barrier) ? (order.AgentOf(barrier.Index), barrier.Phase) : (order.AgentOf(0), 0);

    /// <summary>What an mbarrier's phase still waits for, in words.</summary>
    public string Describe(int address)
        => barriers.TryGetValue(address, out var barrier) ? $"phase {barrier.Phase} of the mbarrier at {address} waits for {barrier.Missing} of {barrier.Count} arrivals and {barrier.Transactions} bytes" : $"there is no mbarrier at {address}";

    private void EndPhase(State barrier)
    {
        if (barrier.Missing != 0 || barrier.Transactions != 0)
            return;
        barrier.Missing = barrier.Count;
        barrier.Phase++;
        barrier.Gathering[order.AgentOf(barrier.Index)] = barrier.Phase;
        barrier.Gathering.CopyTo(barrier.Ended, 0);
    }
}
