namespace IlgpuNetVlad.Ptx;

/// <summary>A decoded kernel.</summary>
/// <param name="Slots">Registers of a thread: the declared ones, then one for each constant and each special register.</param>
internal sealed record KernelCode(string Name, Step[] Steps, int Slots, int SharedBytes, IReadOnlyList<(int Slot, ulong Bits)> Constants, IReadOnlyList<(int Slot, string Name)> Specials)
{
    public static IReadOnlySet<string> SpecialNames { get; } = new HashSet<string>
    {
        "%tid.x", "%tid.y", "%tid.z", "%ntid.x", "%ntid.y", "%ntid.z", "%ctaid.x", "%ctaid.y", "%ctaid.z", "%nctaid.x", "%nctaid.y", "%nctaid.z", "%laneid", "%warpid", "%dynamic_smem_size",
    };

    /// <summary>Whether its threads meet at mbarriers too.</summary>
    public bool HasBarriers { get; } = Steps.Any(s => s is BarrierInitStep);

    /// <summary>Sets the constants and the special registers of a warp whose block begins.</summary>
    public void Fill(Warp warp)
    {
        foreach (var (slot, bits) in Constants)
            warp.Lane(slot).Fill(bits);
        foreach (var (slot, name) in Specials)
        {
            var lanes = warp.Lane(slot);
            for (int i = 0; i < Warp.Lanes; i++)
                lanes[i] = (ulong)Special(name, warp, warp.FirstThread + i);
        }
    }

    private static int Special(string name, Warp warp, int thread)
    {
        var (grid, group) = (warp.Block.Launch.Grid, warp.Block.Launch.Group);
        return name switch
        {
            "%tid.x" => thread % group.X,
            "%tid.y" => thread / group.X % group.Y,
            "%tid.z" => thread / group.X / group.Y,
            "%ntid.x" => group.X,
            "%ntid.y" => group.Y,
            "%ntid.z" => group.Z,
            "%ctaid.x" => warp.Block.Index.X,
            "%ctaid.y" => warp.Block.Index.Y,
            "%ctaid.z" => warp.Block.Index.Z,
            "%nctaid.x" => grid.X,
            "%nctaid.y" => grid.Y,
            "%nctaid.z" => grid.Z,
            "%dynamic_smem_size" => warp.Block.Launch.DynamicSharedBytes,
            "%laneid" => thread % Warp.Lanes,
            _ => thread / Warp.Lanes,
        };
    }
}
