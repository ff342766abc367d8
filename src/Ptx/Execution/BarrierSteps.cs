namespace IlgpuNetVlad.Ptx;

/// <summary>Something done to an mbarrier, lane by lane.</summary>
internal abstract class BarrierStepBase((int Slot, long Offset) at) : MemoryStep
{
    public sealed override void Run(Warp warp, uint mask)
    {
        for (int i = 0; i < Warp.Lanes; i++)
            if ((mask >> i & 1) != 0)
                Note(warp, warp.FirstThread + i, Run(warp, i, Shared(warp, i, warp.Lane(at.Slot)[i] + (ulong)at.Offset, MemoryBarriers.Bytes)));
    }

    protected abstract (PtxFaultKind, string)? Run(Warp warp, int lane, int address);
}

/// <summary>mbarrier.init</summary>
internal sealed class BarrierInitStep((int Slot, long Offset) at, int count) : BarrierStepBase(at)
{
    protected override (PtxFaultKind, string)? Run(Warp warp, int lane, int address) => warp.Block.Barriers.Make(address, (uint)warp.Lane(count)[lane], warp.FirstThread + lane);
}

/// <summary>mbarrier.inval</summary>
internal sealed class BarrierInvalidStep((int Slot, long Offset) at) : BarrierStepBase(at)
{
    protected override (PtxFaultKind, string)? Run(Warp warp, int lane, int address) => warp.Block.Barriers.Remove(address, warp.FirstThread + lane);
}

/// <summary>mbarrier.arrive, with how often and for how many bytes; the state that it gives is the address, for waits here go by parity.</summary>
/// <param name="target">−1 for none.</param>
/// <param name="arrivals">Slot of how often; −1 for once.</param>
/// <param name="bytes">Slot of the bytes to be expected; −1 for none.</param>
internal sealed class BarrierArriveStep((int Slot, long Offset) at, int target, int arrivals, int bytes, bool arrives = true) : BarrierStepBase(at)
{
    protected override (PtxFaultKind, string)? Run(Warp warp, int lane, int address)
    {
        if (target >= 0)
            warp.Lane(target)[lane] = (ulong)address;
        int times = !arrives ? 0 : arrivals < 0 ? 1 : (int)warp.Lane(arrivals)[lane];
        return warp.Block.Barriers.Arrive(address, times, bytes < 0 ? 0 : (int)warp.Lane(bytes)[lane], warp.FirstThread + lane);
    }
}

/// <summary>
/// mbarrier.try_wait and test_wait by parity. try_wait holds its warp up until the phase of each lane has ended, as it may; test_wait says at once that it has not, and the other warps have their turn.
/// </summary>
internal sealed class BarrierWaitStep((int Slot, long Offset) at, int target, int parity, bool blocks) : BarrierStepBase(at)
{
    protected override (PtxFaultKind, string)? Run(Warp warp, int lane, int address)
    {
        int thread = warp.FirstThread + lane;
        if (warp.Block.Barriers.Used(address, thread) is { } wrong)
        {
            // Nothing to wait for.
            warp.Block.Report(wrong.Item1, this, thread, wrong.Item2);
            throw new PtxFaultException(warp.Block.Faults);
        }
        bool ended = warp.Block.Barriers.HasEnded(address, (int)warp.Lane(parity)[lane] & 1, thread);
        warp.Lane(target)[lane] = ended ? 1u : 0;
        if (!ended)
            warp.Hold(this, thread, again: blocks, () => (PtxFaultKind.Deadlock, $"nobody can go on: {warp.Block.Barriers.Describe(address)}, and no copy is on its way"));
        return null;
    }
}

/// <summary>fence.proxy.async, and fence.mbarrier_init for mbarriers alone: what the threads wrote to shared memory, or had copied there, is there for products and copies too.</summary>
internal sealed class ProxyFenceStep(bool data) : Step
{
    public override void Run(Warp warp, uint mask)
    {
        for (int i = 0; i < Warp.Lanes; i++)
            if ((mask >> i & 1) != 0)
                warp.Block.Shared.Fence(warp.FirstThread + i, data);
    }
}
