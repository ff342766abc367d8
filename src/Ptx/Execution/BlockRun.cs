namespace IlgpuNetVlad.Ptx;

/// <summary>Runs blocks of one launch, one after the other; the warps of a block take turns at barriers.</summary>
internal sealed class BlockRun
{
    private const int MostFaults = 16;

    private readonly KernelCode code;
    private readonly Warp[] warps;
    private readonly int threads;
    private readonly long stepLimit;
    private long steps;

    public BlockRun(KernelCode code, PtxLaunch launch, byte[] parameters, GlobalMemory memory, LaunchCount? count)
    {
        this.code = code;
        threads = launch.Group.X * launch.Group.Y * launch.Group.Z;
        stepLimit = launch.StepLimit;
        Launch = launch;
        Parameters = parameters;
        Global = memory;
        Count = count;
        Order = new(threads);
        Shared = new(code.SharedBytes + launch.DynamicSharedBytes, code.HasBarriers ? Order : null, threads);
        Barriers = new(Shared, Order);
        Copies = new(Shared, Barriers);
        warps = [.. Enumerable.Range(0, (threads + Warp.Lanes - 1) / Warp.Lanes).Select(w => new Warp(this, w, code.Slots))];
    }

    public PtxLaunch Launch { get; }
    public byte[] Parameters { get; }
    public GlobalMemory Global { get; }
    public SharedMemory Shared { get; }
    public LaunchCount? Count { get; }

    /// <summary>The block's mbarriers, what their threads know of one another, and the copies that they count.</summary>
    public MemoryBarriers Barriers { get; }

    /// <inheritdoc cref="Barriers"/>
    public ThreadOrder Order { get; }

    /// <inheritdoc cref="Barriers"/>
    public BulkCopies Copies { get; }

    /// <summary>Threads, and addresses of the tensor maps that their copies may read.</summary>
    public HashSet<(int Thread, ulong Address)> MapsAcquired { get; } = [];

    public List<PtxFault> Faults { get; } = [];

    /// <summary>The block that runs.</summary>
    public (int X, int Y, int Z) Index { get; private set; }

    public void Run((int X, int Y, int Z) index)
    {
        Index = index;
        Order.Clear();
        Shared.Clear();
        Barriers.Clear();
        Copies.Clear();
        MapsAcquired.Clear();
        steps = 0;
        foreach (var warp in warps)
        {
            warp.Start(threads);
            code.Fill(warp);
        }
        while (warps.Any(w => w.Live != 0))
        {
            bool held = false, wentOn = false;
            foreach (var warp in warps)
            {
                wentOn |= Turn(warp);
                held |= warp.IsHeld;
            }
            if (held)
            {
                if (!wentOn && !Copies.Deliver())
                    Stuck();
                continue;
            }
            CheckGroups();
            foreach (var warp in warps)
                warp.AtBarrier = false;
            Shared.Barrier();
        }
        if (Copies.Left is { } left)
            Report(PtxFaultKind.PendingCopy, left.Step, left.Thread, "the block ends before this copy has arrived");
    }

    /// <summary>Lets a warp run.</summary>
    /// <returns>Whether it did more than to find, once more, that what it needs is not there: only then may copies wait on.</returns>
    private bool Turn(Warp warp)
    {
        long before = steps;
        var held = warp.Held;
        warp.Resume();
        Advance(warp);
        return held switch
        {
            { Again: true } => steps - before > 1,
            { Again: false } => warp.Held?.Step != held.Value.Step,
            null => steps > before,
        };
    }

    /// <summary>Nobody can go on.</summary>
    private void Stuck()
    {
        foreach (var warp in warps)
            if (warp.Held is { Again: true } held)
            {
                var (kind, message) = held.Why();
                Stop(kind, held.Step, held.Thread, message);
            }
    }

    /// <summary>Runs a warp to the next barrier, to where it is held up, or to its end.</summary>
    private void Advance(Warp warp)
    {
        while (warp.Live != 0 && !warp.AtBarrier && !warp.IsHeld)
        {
            ref var way = ref warp.LastWay;
            if (way.Mask == 0 || way.At == way.Join)
            {
                warp.Ways.RemoveAt(warp.Ways.Count - 1);
                continue;
            }
            var step = code.Steps[way.At];
            uint mask = step.Guard < 0 ? way.Mask : warp.Where(step.Guard, step.GuardNegated, way.Mask);
            if (++steps > stepLimit)
                Stop(PtxFaultKind.Endless, step, warp.FirstThread, $"the block has not ended after {stepLimit} instructions of warps");
            Count?.Issued(step, mask);
            if (step.Accumulators.Length > 0 && mask != 0 && warp.Products.Touch(step) is { } touched)
                Report(PtxFaultKind.PendingProduct, step, warp.FirstThread, touched);
            switch (step)
            {
                case BranchStep branch:
                    Branch(warp, ref way, mask, branch);
                    continue;
                case ReturnStep:
                    warp.End(mask);
                    break;
                case BarrierStep:
                    if (mask != warp.Live)
                        Report(PtxFaultKind.Divergent, step, warp.FirstThread, "not every thread of the warp is at this barrier");
                    warp.AtBarrier = true;
                    break;
                default:
                    if (mask != 0)
                        step.Run(warp, mask);
                    if (warp.Held is { Again: true })
                        return;
                    break;
            }
            way.At++;
        }
    }

    /// <summary>The four warps of a group come to the same products, in the same order; one that comes before the first of them waits for it.</summary>
    /// <returns>Whether it may go on.</returns>
    public bool JoinsGroup(Step step, Warp warp, ulong a, ulong b)
    {
        const string Differ = "the four warps of its group do not all multiply the same";
        int index = warp.FirstThread / Warp.Lanes, first = index / 4 * 4, own = warp.Products.Issued.Count;
        if (first + 4 > warps.Length)
            Stop(PtxFaultKind.Divergent, step, warp.FirstThread, Differ);
        var leaders = warps[first].Products.Issued;
        if (index > first && own >= leaders.Count)
        {
            warp.Hold(step, warp.FirstThread, again: true, () => (PtxFaultKind.Divergent, Differ));
            return false;
        }
        warp.Products.Issued.Add((step, a, b));
        if (leaders[own] != (step, a, b))
            Stop(PtxFaultKind.Divergent, step, warp.FirstThread, Differ);
        return true;
    }

    private void CheckGroups()
    {
        foreach (var warp in warps)
        {
            var leaders = warps[warp.FirstThread / Warp.Lanes / 4 * 4].Products.Issued;
            if (warp.Products.Issued.Count < leaders.Count)
                Stop(PtxFaultKind.Divergent, leaders[^1].Step, warp.FirstThread, "it is not at a product to which the first warp of its group has come");
        }
        foreach (var warp in warps)
            warp.Products.Issued.Clear();
    }

    private static void Branch(Warp warp, ref Warp.Way way, uint taken, BranchStep branch)
    {
        uint passed = way.Mask & ~taken;
        if (taken == 0 || passed == 0)
        {
            way.At = taken == 0 ? branch.Index + 1 : branch.Target;
            return;
        }
        way.At = branch.Join;
        warp.Ways.Add(new Warp.Way { At = branch.Index + 1, Join = branch.Join, Mask = passed });
        warp.Ways.Add(new Warp.Way { At = branch.Target, Join = branch.Join, Mask = taken });
    }

    /// <summary>Notes a fault, once for each line and kind, and goes on.</summary>
    public void Report(PtxFaultKind kind, Step step, int thread, string message)
    {
        if (!Faults.Any(f => f.Kind == kind && f.Line == step.Line))
            Faults.Add(new(kind, code.Name, step.Line, Index, thread, message));
        if (Faults.Count >= MostFaults)
            throw new PtxFaultException(Faults);
    }

    /// <summary>Notes a fault behind which nothing can go on.</summary>
    public void Stop(PtxFaultKind kind, Step step, int thread, string message)
    {
        Report(kind, step, thread, message);
        throw new PtxFaultException(Faults);
    }
}
