namespace IlgpuNetVlad.Ptx;

/// <summary>
/// Shared memory of one block, which remembers of every byte whether something was written, who touched it since the last barrier, and whether a copy is on its way there.
/// </summary>
internal sealed class SharedMemory(int bytes)
{
    private const int Several = -2;

    private readonly byte[] data = new byte[bytes];
    private readonly State[] states = new State[bytes];
    private readonly int[] fences = new int[PtxLaunch.MostThreads];
    private int epoch;

    /// <summary>Of a byte. Readers and writer count in the epoch that stands beside them alone.</summary>
    private struct State
    {
        public int ReadEpoch, Reader, WriteEpoch, Writer;

        /// <summary>How many fences the writer had passed.</summary>
        public int WriterFences;

        /// <summary>Products that are on their way and read it, one for each warp.</summary>
        public int Products;

        /// <summary>Thread + 1 whose copy is on its way; 0 for none.</summary>
        public int Pending;

        public bool Written;
    }

    public int Bytes => data.Length;

    public Span<byte> Data => data;

    /// <summary>A new block: all bytes unwritten.</summary>
    public void Clear()
    {
        Array.Clear(states);
        Array.Clear(fences);
        epoch = 1;
    }

    /// <summary>All threads met.</summary>
    public void Barrier() => epoch++;

    /// <summary>Notes a read.</summary>
    /// <returns>What is wrong with it, or null.</returns>
    public (PtxFaultKind Kind, string Message)? Read(int address, int count, int thread)
    {
        for (int i = address; i < address + count; i++)
        {
            ref var s = ref states[i];
            if (s.Pending != 0)
                return (PtxFaultKind.PendingCopy, $"shared byte {i} is read while the copy that thread {s.Pending - 1} started is not waited for");
            if (!s.Written)
                return (PtxFaultKind.Uninitialised, $"shared byte {i} is read and was never written");
            if (s.WriteEpoch == epoch && s.Writer != thread)
                return (PtxFaultKind.Race, $"shared byte {i} is read, and thread {s.Writer} writes it with no barrier between");
            if (s.ReadEpoch != epoch)
                (s.ReadEpoch, s.Reader) = (epoch, thread);
            else if (s.Reader != thread)
                s.Reader = Several;
        }
        return null;
    }

    /// <summary>Notes a write.</summary>
    /// <inheritdoc cref="Read"/>
    public (PtxFaultKind Kind, string Message)? Write(int address, int count, int thread)
    {
        for (int i = address; i < address + count; i++)
        {
            if (Conflict(i, thread) is { } wrong)
                return wrong;
            ref var s = ref states[i];
            (s.Written, s.WriteEpoch, s.Writer, s.WriterFences) = (true, epoch, thread, fences[thread]);
        }
        return null;
    }

    /// <summary>Notes that an asynchronous copy starts: until it is waited for, nobody may touch its bytes.</summary>
    /// <inheritdoc cref="Read"/>
    public (PtxFaultKind Kind, string Message)? StartCopy(int address, int count, int thread)
    {
        for (int i = address; i < address + count; i++)
        {
            if (Conflict(i, thread) is { } wrong)
                return wrong;
            states[i].Pending = thread + 1;
        }
        return null;
    }

    /// <summary>A copy has arrived: its thread sees the bytes, the others after a barrier.</summary>
    public void EndCopy(int address, ReadOnlySpan<byte> arrived, int thread)
    {
        arrived.CopyTo(data.AsSpan(address));
        for (int i = address; i < address + arrived.Length; i++)
            states[i] = states[i] with { Pending = 0, Written = true, WriteEpoch = epoch, Writer = thread, WriterFences = fences[thread] };
    }

    /// <summary>What a thread has written, or had copied here, is there for products too.</summary>
    public void Fence(int thread) => fences[thread]++;

    /// <summary>Notes that a product of a warp reads from now on until it is waited for.</summary>
    /// <inheritdoc cref="Read"/>
    public (PtxFaultKind Kind, string Message)? StartProduct(int address, int count, int thread)
    {
        var wrong = Read(address, count, thread);
        for (int i = address; i < address + count; i++)
        {
            ref var s = ref states[i];
            s.Products++;
            s.Reader = Several;
            if (wrong is null && s.WriteEpoch == epoch)
                wrong = (PtxFaultKind.Race, $"shared byte {i} is read by a product, and thread {s.Writer} writes it with no barrier between");
            if (wrong is null && fences[s.Writer] == s.WriterFences)
                wrong = (PtxFaultKind.Unfenced, $"shared byte {i} is read by a product, and thread {s.Writer} wrote it with no fence.proxy.async behind");
        }
        return wrong;
    }

    /// <summary>A product has read: others may write after a barrier.</summary>
    public void EndProduct(int address, int count)
    {
        for (int i = address; i < address + count; i++)
        {
            states[i].Products--;
            (states[i].ReadEpoch, states[i].Reader) = (epoch, Several);
        }
    }

    private (PtxFaultKind Kind, string Message)? Conflict(int i, int thread)
    {
        ref readonly var s = ref states[i];
        if (s.Pending != 0)
            return (PtxFaultKind.PendingCopy, $"shared byte {i} is written while the copy that thread {s.Pending - 1} started is not waited for");
        if (s.Products != 0)
            return (PtxFaultKind.PendingProduct, $"shared byte {i} is written while a product that reads it is not waited for");
        if (s.WriteEpoch == epoch && s.Writer != thread)
            return (PtxFaultKind.Race, $"shared byte {i} is written by thread {s.Writer} too, with no barrier between");
        if (s.ReadEpoch == epoch && s.Reader != thread)
            return (PtxFaultKind.Race, $"shared byte {i} is written, and {(s.Reader == Several ? "other threads read" : $"thread {s.Reader} reads")} it with no barrier between");
        return null;
    }
}
