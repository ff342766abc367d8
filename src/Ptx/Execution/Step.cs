using System.Runtime.Intrinsics;

namespace IlgpuNetVlad.Ptx;

/// <summary>An instruction, decoded.</summary>
internal abstract class Step
{
    /// <summary>Its place in the kernel.</summary>
    public int Index { get; set; }

    public int Line { get; set; }

    /// <summary>Slot of the predicate that switches it on; −1 for none.</summary>
    public int Guard { get; set; } = -1;

    public bool GuardNegated { get; set; }

    /// <summary>Floating-point operations of one thread.</summary>
    public int Flops { get; set; }

    /// <summary>Slots of a product's accumulators that it reads or writes; none for products themselves.</summary>
    public int[] Accumulators { get; set; } = [];

    /// <summary>Those of them that it writes.</summary>
    public int[] AccumulatorsWritten { get; set; } = [];

    /// <summary>Runs it for the lanes of a mask, at least one.</summary>
    public abstract void Run(Warp warp, uint mask);
}

/// <summary>A step that the warp's run itself carries out.</summary>
internal abstract class FlowStep : Step
{
    public sealed override void Run(Warp warp, uint mask) => throw new InvalidOperationException("The run of the block carries it out.");
}

internal sealed class BranchStep(int target) : FlowStep
{
    public int Target { get; } = target;

    /// <summary>Where the two ways meet.</summary>
    public int Join { get; set; }
}

internal sealed class ReturnStep : FlowStep;

internal sealed class BarrierStep : FlowStep;

/// <summary>d = f(a), a part of the lanes at a time; all registers hold 64 bits, narrower values stand in the lower ones.</summary>
internal sealed class UnaryStep(int d, int a, Func<Vector512<ulong>, Vector512<ulong>> f) : Step
{
    public override void Run(Warp warp, uint mask)
    {
        for (int part = 0; part < Warp.Parts; part++)
            warp.Set(d, part, mask, f(warp.Part(a, part)));
    }
}

/// <summary>d = f(a, b)</summary>
internal sealed class BinaryStep(int d, int a, int b, Func<Vector512<ulong>, Vector512<ulong>, Vector512<ulong>> f) : Step
{
    public override void Run(Warp warp, uint mask)
    {
        for (int part = 0; part < Warp.Parts; part++)
            warp.Set(d, part, mask, f(warp.Part(a, part), warp.Part(b, part)));
    }
}

/// <summary>d = f(a, b, c)</summary>
internal sealed class TernaryStep(int d, int a, int b, int c, Func<Vector512<ulong>, Vector512<ulong>, Vector512<ulong>, Vector512<ulong>> f) : Step
{
    public override void Run(Warp warp, uint mask)
    {
        for (int part = 0; part < Warp.Parts; part++)
            warp.Set(d, part, mask, f(warp.Part(a, part), warp.Part(b, part), warp.Part(c, part)));
    }
}

/// <summary>d = f(a), lane by lane: for what vectors cannot do.</summary>
internal sealed class UnaryLaneStep(int d, int a, Func<ulong, ulong> f) : Step
{
    public override void Run(Warp warp, uint mask)
    {
        Span<ulong> to = warp.Lane(d), x = warp.Lane(a);
        for (int i = 0; i < Warp.Lanes; i++)
            if ((mask >> i & 1) != 0)
                to[i] = f(x[i]);
    }
}

/// <summary>d = f(a, b), lane by lane.</summary>
internal sealed class BinaryLaneStep(int d, int a, int b, Func<ulong, ulong, ulong> f) : Step
{
    public override void Run(Warp warp, uint mask)
    {
        Span<ulong> to = warp.Lane(d), x = warp.Lane(a), y = warp.Lane(b);
        for (int i = 0; i < Warp.Lanes; i++)
            if ((mask >> i & 1) != 0)
                to[i] = f(x[i], y[i]);
    }
}
