namespace IlgpuNetVlad.Ptx;

/// <summary>
/// Shared memory of one block, which remembers of every byte whether something was written, who touched it since the last barrier, and whether a copy is on its way there.
/// </summary>
/// <param name="order">What threads know of one another by mbarriers; null where there are none.</param>
/// <param name="threads">Of the block.</param>
internal sealed class SharedMemory(int bytes, ThreadOrder? order, int threads)
{
    private const int Several = -2, WordBytes = 4;

    private readonly byte[] data = new byte[bytes];

    /// <summary>Of each word whose four bytes are alike, which nearly all are; the bytes of the others, those that are marked, have states of their own.</summary>
    private readonly State[] words = new State[(bytes + WordBytes - 1) / WordBytes];
    private readonly bool[] parted = new bool[(bytes + WordBytes - 1) / WordBytes];
    private State[] single = [];
    private bool anyParted;

    private readonly int[] fences = new int[PtxLaunch.MostThreads + ThreadOrder.MostBarriers], barrierFences = new int[PtxLaunch.MostThreads];
    private readonly int warps = (threads + Warp.Lanes - 1) / Warp.Lanes;

    /// <summary>Who read each word since the last barrier, warp by warp: only where mbarriers may order reads and writes.</summary>
    private readonly Readers[] readers = new Readers[order is null ? 0 : (bytes + WordBytes - 1) / WordBytes * ((threads + Warp.Lanes - 1) / Warp.Lanes)];

    private int epoch;

    private struct Readers
    {
        public int Epoch, Time;
        public uint Lanes;
    }

    /// <summary>Of a byte, or of the four of a word. Readers and writer count in the epoch that stands beside them alone.</summary>
    private struct State
    {
        public int ReadEpoch, Reader, WriteEpoch, Writer;

        /// <summary>When it was written, for <see cref="ThreadOrder"/>; of bytes that a copy of a tensor brought, the phase of its mbarrier.</summary>
        public int WriteTime;

        /// <summary>How many fences the writer had passed.</summary>
        public int WriterFences;

        /// <summary>Products that are on their way and read it, one for each warp.</summary>
        public int Products;

        /// <summary>Thread + 1 whose copy is on its way; 0 for none.</summary>
        public int Pending;

        public bool Written;

        /// <summary>It is part of an mbarrier.</summary>
        public bool Barrier;
    }

    public int Epoch => epoch;

    public int Bytes => data.Length;

    public Span<byte> Data => data;

    /// <summary>A new block: all bytes unwritten.</summary>
    public void Clear()
    {
        Array.Clear(words);
        if (anyParted)
            Array.Clear(parted);
        anyParted = false;
        Array.Clear(fences);
        Array.Clear(barrierFences);
        Array.Clear(readers);
        epoch = 1;
    }

    /// <summary>All threads met.</summary>
    public void Barrier() => epoch++;

    /// <summary>Notes a read.</summary>
    /// <returns>What is wrong with it, or null.</returns>
    public (PtxFaultKind Kind, string Message)? Read(int address, int count, int thread)
    {
        for (int i = address, end = address + count, step; i < end; i += step)
        {
            ref var s = ref Alike(i, end, out step);
            if (s.Barrier)
                return (PtxFaultKind.Barrier, $"shared byte {i} is read and belongs to an mbarrier");
            if (s.Pending != 0)
                return (PtxFaultKind.PendingCopy, $"shared byte {i} is read while the copy that thread {s.Pending - 1} started is not waited for");
            if (!s.Written)
                return (PtxFaultKind.Uninitialised, $"shared byte {i} is read and was never written");
            if (s.WriteEpoch == epoch && s.Writer != thread && !Knows(thread, s))
                return (PtxFaultKind.Race, $"shared byte {i} is read, and {Name(s.Writer)} writes it with no barrier between");
            if (s.ReadEpoch != epoch)
                (s.ReadEpoch, s.Reader) = (epoch, thread);
            else if (s.Reader != thread)
                s.Reader = Several;
        }
        NoteReader(address, count, thread);
        return null;
    }

    /// <summary>Notes that a thread and the next one read: a write of either is one that the other has to know of.</summary>
    /// <inheritdoc cref="Read"/>
    public (PtxFaultKind Kind, string Message)? ReadByTwo(int address, int count, int thread)
    {
        if (Read(address, count, thread) is { } wrong)
            return wrong;
        NoteReader(address, count, thread + 1);
        for (int i = address, end = address + count, step; i < end; i += step)
        {
            ref var s = ref Alike(i, end, out step);
            if (s.WriteEpoch == epoch && s.Writer != thread + 1 && !Knows(thread + 1, s))
                return (PtxFaultKind.Race, $"shared byte {i} is read, and {Name(s.Writer)} writes it with no barrier between");
            s.Reader = Several;
        }
        return null;
    }

    /// <summary>Notes a write.</summary>
    /// <inheritdoc cref="Read"/>
    public (PtxFaultKind Kind, string Message)? Write(int address, int count, int thread)
    {
        for (int i = address, end = address + count, step; i < end; i += step)
        {
            ref var s = ref Alike(i, end, out step);
            if (Conflict(s, i, thread) is { } wrong)
                return wrong;
            (s.Written, s.WriteEpoch, s.Writer, s.WriteTime, s.WriterFences) = (true, epoch, thread, order?.Now ?? 0, fences[thread]);
        }
        return null;
    }

    /// <summary>Notes that an asynchronous copy starts: until it is waited for, nobody may touch its bytes.</summary>
    /// <inheritdoc cref="Read"/>
    public (PtxFaultKind Kind, string Message)? StartCopy(int address, int count, int thread)
    {
        for (int i = address, end = address + count, step; i < end; i += step)
        {
            ref var s = ref Alike(i, end, out step);
            if (Conflict(s, i, thread) is { } wrong)
                return wrong;
            s.Pending = thread + 1;
        }
        return null;
    }

    /// <summary>Notes that a copy of a tensor starts. What threads wrote there must be behind a fence, for such copies go another way.</summary>
    /// <inheritdoc cref="Read"/>
    public (PtxFaultKind Kind, string Message)? StartBulkCopy(int address, int count, int thread)
    {
        for (int i = address, end = address + count, step; i < end; i += step)
        {
            ref var s = ref Alike(i, end, out step);
            if (Conflict(s, i, thread) is { } wrong)
                return wrong;
            if (s.Written && IsThread(s.Writer) && fences[s.Writer] == s.WriterFences)
                return (PtxFaultKind.Unfenced, $"shared byte {i} is filled by a copy, and thread {s.Writer} wrote it with no fence.proxy.async behind");
            s.Pending = thread + 1;
        }
        return null;
    }

    /// <summary>Bytes of a copy of a tensor have arrived: whoever waits for the phase of its mbarrier sees them.</summary>
    public void EndBulkCopy(int address, ReadOnlySpan<byte> arrived, int agent, int phase) => Arrive(address, arrived, agent, phase, -1);

    /// <summary>Bytes become an mbarrier.</summary>
    /// <inheritdoc cref="Read"/>
    public (PtxFaultKind Kind, string Message)? BecomeBarrier(int address, int count, int thread)
    {
        if (Write(address, count, thread) is { } wrong)
            return wrong;
        for (int i = address, end = address + count, step; i < end; i += step)
        {
            ref var s = ref Alike(i, end, out step);
            s.Barrier = true;
        }
        return null;
    }

    /// <summary>They are none any more.</summary>
    public void NoBarrier(int address, int count)
    {
        for (int i = address, end = address + count, step; i < end; i += step)
        {
            ref var s = ref Alike(i, end, out step);
            (s.Barrier, s.Written) = (false, false);
        }
    }

    /// <summary>A copy has arrived: its thread sees the bytes, the others after a barrier.</summary>
    public void EndCopy(int address, ReadOnlySpan<byte> arrived, int thread) => Arrive(address, arrived, thread, order?.Now ?? 0, fences[thread]);

    private void Arrive(int address, ReadOnlySpan<byte> arrived, int writer, int time, int writerFences)
    {
        arrived.CopyTo(data.AsSpan(address));
        for (int i = address, end = address + arrived.Length, step; i < end; i += step)
        {
            ref var s = ref Alike(i, end, out step);
            (s.Pending, s.Written, s.WriteEpoch, s.Writer, s.WriteTime, s.WriterFences) = (0, true, epoch, writer, time, writerFences);
        }
    }

    /// <summary>What a thread has written, or had copied here, is there for products and copies too; or, without data, the mbarriers that it made alone.</summary>
    public void Fence(int thread, bool data)
    {
        barrierFences[thread]++;
        fences[thread] += data ? 1 : 0;
    }

    /// <summary>How many fences a thread has passed behind which its mbarriers are there for copies.</summary>
    public int BarrierFences(int thread) => barrierFences[thread];

    /// <summary>Notes that a product of a warp reads from now on until it is waited for.</summary>
    /// <inheritdoc cref="Read"/>
    public (PtxFaultKind Kind, string Message)? StartProduct(int address, int count, int thread)
    {
        var wrong = Read(address, count, thread);
        for (int i = address, end = address + count, step; i < end; i += step)
        {
            ref var s = ref Alike(i, end, out step);
            s.Products++;
            s.Reader = Several;
            if (wrong is null && s.WriteEpoch == epoch && !Knows(thread, s))
                wrong = (PtxFaultKind.Race, $"shared byte {i} is read by a product, and {Name(s.Writer)} writes it with no barrier between");
            if (wrong is null && fences[s.Writer] == s.WriterFences)
                wrong = (PtxFaultKind.Unfenced, $"shared byte {i} is read by a product, and thread {s.Writer} wrote it with no fence.proxy.async behind");
        }
        return wrong;
    }

    /// <summary>A product has read: others may write after a barrier.</summary>
    /// <param name="thread">First of its warp.</param>
    public void EndProduct(int address, int count, int thread)
    {
        NoteReader(address, count, thread);
        for (int i = address, end = address + count, step; i < end; i += step)
        {
            ref var s = ref Alike(i, end, out step);
            s.Products--;
            (s.ReadEpoch, s.Reader) = (epoch, Several);
        }
    }

    /// <summary>The state of a byte, for it alone or for its whole word where that is among those asked for and alike.</summary>
    /// <param name="end">Behind the last byte that is asked for.</param>
    /// <param name="bytes">How many it holds for.</param>
    private ref State Alike(int address, int end, out int bytes)
    {
        int word = address / WordBytes;
        if (!parted[word])
        {
            if (address % WordBytes == 0 && end - address >= WordBytes)
            {
                bytes = WordBytes;
                return ref words[word];
            }
            Part(word);
        }
        bytes = 1;
        return ref single[address];
    }

    /// <summary>The bytes of a word go ways of their own, until the block ends.</summary>
    private void Part(int word)
    {
        if (single.Length == 0)
            single = new State[words.Length * WordBytes];
        single.AsSpan(word * WordBytes, WordBytes).Fill(words[word]);
        parted[word] = anyParted = true;
    }

    private (PtxFaultKind Kind, string Message)? Conflict(in State s, int i, int thread)
    {
        if (s.Barrier)
            return (PtxFaultKind.Barrier, $"shared byte {i} is written and belongs to an mbarrier");
        if (s.Pending != 0)
            return (PtxFaultKind.PendingCopy, $"shared byte {i} is written while the copy that thread {s.Pending - 1} started is not waited for");
        if (s.Products != 0)
            return (PtxFaultKind.PendingProduct, $"shared byte {i} is written while a product that reads it is not waited for");
        if (s.WriteEpoch == epoch && s.Writer != thread && !Knows(thread, s))
            return (PtxFaultKind.Race, $"shared byte {i} is written by {Name(s.Writer)} too, with no barrier between");
        if (s.ReadEpoch == epoch && s.Reader != thread && !KnowsReaders(i, thread))
            return (PtxFaultKind.Race, $"shared byte {i} is written, and {(s.Reader == Several ? "other threads read" : $"thread {s.Reader} reads")} it with no barrier between");
        return null;
    }

    private bool IsThread(int agent) => order?.IsThread(agent) ?? true;

    private string Name(int writer) => IsThread(writer) ? $"thread {writer}" : "a copy that this thread did not wait for";

    /// <summary>Whether a thread knows by mbarriers what was written.</summary>
    private bool Knows(int thread, in State s) => order?.Knows(thread, s.Writer, s.WriteTime) ?? false;

    private void NoteReader(int address, int count, int thread)
    {
        if (order is null)
            return;
        for (int word = address / WordBytes; word <= (address + count - 1) / WordBytes; word++)
        {
            ref var r = ref readers[word * warps + thread / Warp.Lanes];
            if (r.Epoch != epoch)
                r = new() { Epoch = epoch };
            r.Lanes |= 1u << thread % Warp.Lanes;
            r.Time = order.Now;
        }
    }

    /// <summary>Whether a thread knows by mbarriers that all others are done reading a byte.</summary>
    private bool KnowsReaders(int address, int thread)
    {
        if (order is null)
            return false;
        for (int warp = 0; warp < warps; warp++)
        {
            ref readonly var r = ref readers[address / WordBytes * warps + warp];
            for (uint lanes = r.Epoch == epoch ? r.Lanes : 0; lanes != 0; lanes &= lanes - 1)
            {
                int reader = warp * Warp.Lanes + System.Numerics.BitOperations.TrailingZeroCount(lanes);
                if (reader != thread && !order.Knows(thread, reader, r.Time))
                    return false;
            }
        }
        return true;
    }
}
