namespace IlgpuNetVlad.Ptx;

internal static partial class InstructionSet
{
    /// <summary>mbarrier and copies of tensors; spaces, scopes and orders may be left out where PTX lets them.</summary>
    private static void AddBarriers(Dictionary<string, Func<InstructionDecoder, Step>> set)
    {
        foreach (string space in new[] { ".shared", ".shared::cta" })
        {
            set[$"mbarrier.init{space}.b64"] = d => Only(d, 2, new BarrierInitStep(d.Address(0), d.Source(1)));
            set[$"mbarrier.inval{space}.b64"] = d => Only(d, 1, new BarrierInvalidStep(d.Address(0)));
            foreach (string order in new[] { "", ".release.cta" })
            {
                set[$"mbarrier.arrive{order}{space}.b64"] = d => d.Count == 3
                    ? new BarrierArriveStep(d.Address(1), d.TargetOrNone(0), d.Source(2), -1)
                    : Only(d, 2, new BarrierArriveStep(d.Address(1), d.TargetOrNone(0), -1, -1));
                set[$"mbarrier.arrive.expect_tx{order}{space}.b64"] = d => Only(d, 3, new BarrierArriveStep(d.Address(1), d.TargetOrNone(0), -1, d.Source(2)));
            }
            set[$"mbarrier.expect_tx.relaxed.cta{space}.b64"] = d => Only(d, 2, new BarrierArriveStep(d.Address(0), -1, -1, d.Source(1), arrives: false));
            foreach (string order in new[] { "", ".acquire.cta" })
                foreach (string kind in new[] { "try_wait", "test_wait" })
                    set[$"mbarrier.{kind}.parity{order}{space}.b64"] = d => Wait(d, blocks: kind == "try_wait");
        }
        set["fence.proxy.async"] = set["fence.proxy.async.shared::cta"] = d => Only(d, 0, new ProxyFenceStep(data: true));
        // The host has written the map, so that only a fence of the whole system is one.
        set["fence.proxy.tensormap::generic.acquire.sys"] = d => Only(d, 2, new TensorMapFenceStep(d.Address(0), d.Constant(1)));
        set["fence.mbarrier_init.release.cluster"] = d => Only(d, 0, new ProxyFenceStep(data: false));
        for (int rank = 1; rank <= TensorMap.MostDimensions; rank++)
        {
            int dimensions = rank;
            foreach (string mode in new[] { "", ".tile", ".im2col" })
                if (mode != ".im2col" || rank >= 3)
                    set[$"cp.async.bulk.tensor.{rank}d.shared::cluster.global{mode}.mbarrier::complete_tx::bytes"] = d => TensorCopy(d, dimensions, mode == ".im2col");
        }
    }

    /// <summary>A hint of how long to wait may stand behind.</summary>
    private static Step Wait(InstructionDecoder d, bool blocks)
    {
        if (d.Count != 4 || !blocks)
            d.Take(3);
        return new BarrierWaitStep(d.Address(1), d.Target(0), d.Source(2), blocks);
    }

    private static Step TensorCopy(InstructionDecoder d, int rank, bool im2col)
    {
        d.Take(im2col ? 4 : 3);
        return new TensorCopyStep(d.Address(0), d.Start(1), d.Coordinates(1, rank), d.Address(2), im2col ? d.Vector(3, rank - 2, d.Source) : null);
    }
}
