namespace IlgpuNetVlad.Ptx;

/// <summary>One PTX line of a kernel and what it did.</summary>
public sealed record ProfiledLine(int Line, string Text, InstructionKind Kind, InstructionCount Count)
{
    /// <summary>
    /// Cycles of one multiprocessor that it takes at least: to be started, in the banks of shared memory, for its sectors from the second-level cache, or in the
    /// cores, whichever is longest.
    /// </summary>
    public double Cycles(Chip chip)
    {
        double tflops = Kind switch
        {
            InstructionKind.Bf16Product => chip.Bf16Tflops,
            InstructionKind.Tf32Product => chip.Tf32Tflops,
            _ => chip.Fp32Tflops,
        };
        double starts = (double)Count.Warps / Chip.IssuesPerCycle, cores = Count.Flops / (tflops * 1e12) * chip.CyclesPerSecond;
        double cache = (double)Count.GlobalSectors * LaunchCount.SectorBytes / chip.CacheBytesPerCycle;
        return Math.Max(Math.Max(starts, cores), Math.Max(cache, Count.SharedPasses));
    }
}

/// <summary>The least time that one part of a chip needs for a kernel.</summary>
/// <param name="What">Such as <c>memory</c>.</param>
/// <param name="Seconds">With the work spread evenly over the chip.</param>
public sealed record Roof(string What, double Seconds);

/// <summary>What a kernel did in its launches, line by line; where not all blocks of a launch ran, those that did stand for all.</summary>
public sealed class KernelProfile
{
    /// <param name="text">The PTX that the kernel was read from.</param>
    /// <param name="launches">At least one.</param>
    public KernelProfile(string text, PtxFunction kernel, IEnumerable<LaunchCount> launches)
    {
        string[] lines = text.Split('\n');
        var sums = new InstructionCount[kernel.Instructions.Count];
        foreach (var launch in launches)
            for (int i = 0; i < sums.Length; i++)
                sums[i] += launch.Instructions[i].Of(launch.Blocks, launch.BlocksRun);
        Lines = [.. kernel.Instructions.Select((n, i) => new ProfiledLine(n.Line, lines[n.Line - 1].Trim().Replace('\t', ' '), InstructionKinds.KindOf(n.Opcode), sums[i]))];
        Total = Lines.Aggregate(default(InstructionCount), (sum, line) => sum + line.Count);
    }

    /// <summary>In the order of the text.</summary>
    public IReadOnlyList<ProfiledLine> Lines { get; }

    public InstructionCount Total { get; }

    /// <summary>Barriers that blocks' warps came to.</summary>
    public long Barriers => Lines.Where(l => l.Kind == InstructionKind.Barrier).Sum(l => l.Count.Warps);

    /// <summary>Bytes of the sectors that global accesses touch.</summary>
    public long SectorBytes => Total.GlobalSectors * LaunchCount.SectorBytes;

    /// <summary>How often warps came to each kind of instruction.</summary>
    public IReadOnlyDictionary<InstructionKind, long> Kinds => Lines.GroupBy(l => l.Kind).ToDictionary(g => g.Key, g => g.Sum(l => l.Count.Warps));

    /// <summary>
    /// The least time of each part of a chip, the longest first: that is what the kernel waits for if it is well made otherwise.
    /// The assembler drops most moves and merges much address arithmetic, so the starts of PTX instructions are more than those of the machine.
    /// </summary>
    /// <param name="leastBytes">What has to move between memory and chip even with perfect caches.</param>
    public IReadOnlyList<Roof> Roofs(Chip chip, double leastBytes)
    {
        double Flops(InstructionKind kind) => Lines.Where(l => l.Kind == kind).Sum(l => l.Count.Flops);
        double bf16 = Flops(InstructionKind.Bf16Product), tf32 = Flops(InstructionKind.Tf32Product);
        return [.. new Roof[]
        {
            new("tensor cores", bf16 / (chip.Bf16Tflops * 1e12) + tf32 / (chip.Tf32Tflops * 1e12)),
            new("fp32 cores", (Total.Flops - bf16 - tf32) / (chip.Fp32Tflops * 1e12)),
            new("memory, every buffer once", leastBytes / (chip.MemoryGBs * 1e9)),
            new("second-level cache, every sector", SectorBytes / (chip.CacheBytesPerCycle * chip.CyclesPerSecond)),
            new("banks of shared memory", Total.SharedPasses / chip.CyclesPerSecond),
            new("starts of instructions", Total.Warps / (Chip.IssuesPerCycle * chip.CyclesPerSecond)),
        }.OrderByDescending(r => r.Seconds)];
    }
}
