namespace IlgpuNetVlad.Ptx;

/// <summary>
/// The copies of tensors that are on their way to a block's shared memory. They arrive piece by piece, and only when no warp can go on without, until one can: whoever reads too early finds nothing
/// there, and an mbarrier that expects too little lets its phase end before all is there.
/// </summary>
internal sealed class BulkCopies(SharedMemory shared, MemoryBarriers barriers)
{
    private readonly Queue<Piece> pieces = new();

    /// <param name="Barrier">Address of the mbarrier that counts it.</param>
    private readonly record struct Piece(Step Step, int Thread, int Address, byte[] Bytes, int Barrier);

    /// <summary>Who started the oldest that has not arrived; null where all have.</summary>
    public (Step Step, int Thread)? Left => pieces.TryPeek(out var piece) ? (piece.Step, piece.Thread) : null;

    public void Clear() => pieces.Clear();

    public void Start(Step step, int thread, int address, byte[] bytes, int barrier) => pieces.Enqueue(new(step, thread, address, bytes, barrier));

    /// <summary>The oldest pieces arrive, until with one of them the phase of an mbarrier ends.</summary>
    /// <returns>Whether there was one.</returns>
    public bool Deliver()
    {
        bool any = false;
        while (pieces.TryDequeue(out var piece))
        {
            any = true;
            var (agent, phase) = barriers.CopiesOf(piece.Barrier);
            shared.EndBulkCopy(piece.Address, piece.Bytes, agent, phase);
            if (barriers.Complete(piece.Barrier, piece.Bytes.Length))
                break;
        }
        return any;
    }
}
