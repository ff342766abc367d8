namespace IlgpuNetVlad.Ptx;

/// <summary>
/// The asynchronous products of one warp: those since the last commit, and the groups that are on their way. Until a product is waited for, its accumulators belong to it, and
/// nobody may write to what it reads.
/// </summary>
internal sealed class PendingProducts(int slots)
{
    private readonly Queue<List<Product>> groups = new();
    private readonly int[][] owners = new int[slots][];
    private readonly bool[] written = new bool[slots];
    private List<Product> open = [];

    /// <param name="Sums">Slots of its accumulators.</param>
    /// <param name="Chunks">Places in shared memory of the 16 bytes each that it reads.</param>
    private readonly record struct Product(int[] Sums, int[] Chunks);

    /// <summary>What the warp multiplied since the last barrier: line and descriptors.</summary>
    public List<(Step Step, ulong A, ulong B)> Issued { get; } = [];

    public void Clear()
    {
        groups.Clear();
        open = [];
        Issued.Clear();
        Array.Clear(owners);
        Array.Clear(written);
    }

    /// <summary>wgmma.fence: what was written to accumulators comes before the products that follow.</summary>
    public void Fence() => Array.Clear(written);

    /// <summary>An instruction that is no product touches accumulators.</summary>
    /// <returns>What is wrong with it, or null.</returns>
    public string? Touch(Step step)
    {
        foreach (int slot in step.AccumulatorsWritten)
            written[slot] = true;
        foreach (int slot in step.Accumulators)
            if (owners[slot] is not null)
                return "an accumulator is touched whose product is not waited for";
        return null;
    }

    /// <summary>A product begins.</summary>
    /// <inheritdoc cref="Touch"/>
    public string? Start(int[] sums, int[] chunks)
    {
        string? wrong = sums.Any(s => written[s]) ? "an accumulator was written, and no wgmma.fence stands between"
            // Products with the same accumulators follow one another by themselves.
            : sums.Any(s => owners[s] is { } owner && !owner.AsSpan().SequenceEqual(sums)) ? "some of its accumulators belong to another product that is not waited for" : null;
        foreach (int slot in sums)
            owners[slot] = sums;
        open.Add(new(sums, chunks));
        return wrong;
    }

    public void Commit()
    {
        groups.Enqueue(open);
        open = [];
    }

    /// <summary>The oldest groups end until no more than so many are on their way.</summary>
    /// <param name="thread">First of the warp.</param>
    public void WaitForAllBut(int count, SharedMemory shared, int thread)
    {
        while (groups.Count > count)
            foreach (var product in groups.Dequeue())
            {
                foreach (int chunk in product.Chunks)
                    shared.EndProduct(chunk, ProductStep.ChunkBytes, thread);
                bool again = groups.Append(open).Any(g => g.Any(p => p.Sums.AsSpan().SequenceEqual(product.Sums)));
                if (!again)
                    foreach (int slot in product.Sums)
                        owners[slot] = null!;
            }
    }
}
