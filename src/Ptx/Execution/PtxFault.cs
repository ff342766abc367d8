namespace IlgpuNetVlad.Ptx;

/// <summary>What a kernel may do wrong while it runs.</summary>
public enum PtxFaultKind
{
    /// <summary>An address that belongs to no buffer of the launch, or lies behind the block's shared memory.</summary>
    OutOfBounds,

    /// <summary>An address that is no multiple of the access.</summary>
    Misaligned,

    /// <summary>A read of shared memory that nothing wrote.</summary>
    Uninitialised,

    /// <summary>Two threads touch the same shared byte between two barriers, and one writes.</summary>
    Race,

    /// <summary>An access to shared memory that an asynchronous copy is still filling.</summary>
    PendingCopy,

    /// <summary>An accumulator or a tile touched while an asynchronous product still works on it.</summary>
    PendingProduct,

    /// <summary>Shared memory that a product reads, or a tensor map that a copy reads, while what was written there may not have arrived for it: no fence of the proxy stands between.</summary>
    Unfenced,

    /// <summary>A barrier, or an instruction of a whole warp, that some of the threads do not reach.</summary>
    Divergent,

    /// <summary>An mbarrier that is not there, is touched as memory, or is arrived at too often.</summary>
    Barrier,

    /// <summary>A copy whose tensor map is none, or one of another kind.</summary>
    TensorMap,

    /// <summary>Warps that wait for what never comes: arrivals, or bytes that no copy brings.</summary>
    Deadlock,

    /// <summary>A block that does not end.</summary>
    Endless,
}

/// <param name="Line">Of the PTX text, from 1.</param>
/// <param name="Block">Of the grid, as (x, y, z).</param>
/// <param name="Thread">Of the block.</param>
public sealed record PtxFault(PtxFaultKind Kind, string Kernel, int Line, (int X, int Y, int Z) Block, int Thread, string Message)
{
    public override string ToString() => $"{Kernel}, PTX line {Line}, block {Block}, thread {Thread}: {Message}";
}

/// <summary>A launch that did something wrong.</summary>
public sealed class PtxFaultException(IReadOnlyList<PtxFault> faults) : Exception(string.Join(Environment.NewLine, faults))
{
    /// <summary>At least one, and no two of a kind at the same line.</summary>
    public IReadOnlyList<PtxFault> Faults { get; } = faults;
}
