using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace IlgpuNetVlad.Ptx;

/// <summary>32 threads in lock step: their registers, which of them are on which way, and the copies that they have started.</summary>
internal sealed class Warp(BlockRun block, int index, int slots)
{
    public const int Lanes = 32;

    /// <summary>Vectors of a register's lanes.</summary>
    public static readonly int Parts = Lanes / Vector512<ulong>.Count;

    private static readonly Vector512<ulong> LaneBits = Vector512.Create(1ul, 2, 4, 8, 16, 32, 64, 128);

    private readonly PendingCopies[] copies = [.. Enumerable.Range(0, Lanes).Select(_ => new PendingCopies())];

    public BlockRun Block { get; } = block;

    public PendingProducts Products { get; } = new(slots);

    /// <summary>First thread of the block that it holds.</summary>
    public int FirstThread { get; } = index * Lanes;

    /// <summary>Of each register one value for every lane.</summary>
    public ulong[] Registers { get; } = new ulong[slots * Lanes];

    /// <summary>Lanes that have not ended.</summary>
    public uint Live { get; set; }

    public bool AtBarrier { get; set; }

    /// <summary>Whether it has given its turn away, for what it needs is not there yet.</summary>
    public bool IsHeld => Held is not null;

    /// <summary>At what, and how it would be told if nobody could go on.</summary>
    public (Step Step, int Thread, bool Again, Func<(PtxFaultKind Kind, string Message)> Why)? Held { get; private set; }

    /// <summary>Ways that are open; the last one runs, and ends where it meets the one below.</summary>
    public List<Way> Ways { get; } = [];

    /// <summary>The way that runs; until one is added or taken away.</summary>
    public ref Way LastWay => ref CollectionsMarshal.AsSpan(Ways)[^1];

    public struct Way
    {
        public int At, Join;
        public uint Mask;
    }

    public Span<ulong> Lane(int slot) => Registers.AsSpan(slot * Lanes, Lanes);

    /// <summary>Some neighbouring lanes of a register.</summary>
    public Vector512<ulong> Part(int slot, int part) => Vector512.LoadUnsafe(ref Registers[slot * Lanes + part * Vector512<ulong>.Count]);

    /// <summary>Sets them, in the lanes of a mask of the warp.</summary>
    public void Set(int slot, int part, uint mask, Vector512<ulong> value)
    {
        ref ulong to = ref Registers[slot * Lanes + part * Vector512<ulong>.Count];
        uint on = mask >> part * Vector512<ulong>.Count & 0xFF;
        if (on != 0xFF)
            value = Vector512.ConditionalSelect(Vector512.Equals(Vector512.Create((ulong)on) & LaneBits, LaneBits), value, Vector512.LoadUnsafe(ref to));
        value.StoreUnsafe(ref to);
    }

    /// <summary>A new block begins.</summary>
    public void Start(int threads)
    {
        int count = Math.Clamp(threads - FirstThread, 0, Lanes);
        Live = count == Lanes ? uint.MaxValue : (1u << count) - 1;
        AtBarrier = false;
        Held = null;
        Array.Clear(Registers);
        foreach (var pending in copies)
            pending.Clear();
        Products.Clear();
        Ways.Clear();
        Ways.Add(new Way { Join = -1, Mask = Live });
    }

    /// <summary>Gives the turn away.</summary>
    /// <param name="again">Whether the step is carried out again when the turn comes back; else the next one is.</param>
    public void Hold(Step step, int thread, bool again, Func<(PtxFaultKind, string)> why) => Held = (step, thread, again, why);

    /// <summary>Takes the turn.</summary>
    public void Resume() => Held = null;

    public PendingCopies CopiesOf(int lane) => copies[lane];

    /// <summary>The lanes of a mask in which a predicate has the wanted value.</summary>
    public uint Where(int predicate, bool negated, uint mask)
    {
        uint on = 0;
        for (int part = 0; part < Parts; part++)
            on |= (uint)Vector512.ExtractMostSignificantBits(Part(predicate, part) << 63) << part * Vector512<ulong>.Count;
        return mask & (negated ? ~on : on);
    }

    /// <summary>Lanes that have come to the end leave all ways.</summary>
    public void End(uint mask)
    {
        Live &= ~mask;
        for (int i = 0; i < Ways.Count; i++)
            Ways[i] = Ways[i] with { Mask = Ways[i].Mask & ~mask };
    }
}
