using System.Numerics;

namespace IlgpuNetVlad.Ptx;

/// <summary>What one launch did, instruction by instruction.</summary>
/// <param name="blocks">Of the grid.</param>
/// <param name="blocksRun">Those that were counted.</param>
public sealed class LaunchCount(int instructions, long blocks, long blocksRun)
{
    /// <summary>What global memory hands out at least.</summary>
    public const int SectorBytes = 32;

    private const int BankBytes = 4, Banks = 32;

    private readonly InstructionCount[] counts = new InstructionCount[instructions];

    /// <summary>Blocks of the grid.</summary>
    public long Blocks => blocks;

    /// <summary>Those of them that ran.</summary>
    public long BlocksRun => blocksRun;

    /// <summary>Of the blocks that ran, in the order of the kernel's instructions, and one more for the end of its text.</summary>
    public IReadOnlyList<InstructionCount> Instructions => counts;

    internal void Issued(Step step, uint mask)
    {
        int threads = BitOperations.PopCount(mask);
        ref var count = ref counts[step.Index];
        count.Warps++;
        count.Threads += threads;
        count.Flops += (long)threads * step.Flops;
    }

    internal void Accessed(Step step, ReadOnlySpan<ulong> addresses, uint mask, int bytes, bool shared)
    {
        if (mask == 0)
            return;
        ref var count = ref counts[step.Index];
        int threads = BitOperations.PopCount(mask);
        if (shared)
        {
            count.SharedRequests++;
            count.SharedBytes += (long)threads * bytes;
            // Accesses of 8 and 16 bytes go by half and by quarter warps.
            int lanes = Math.Min(Warp.Lanes, Banks * BankBytes / bytes);
            for (int first = 0; first < Warp.Lanes; first += lanes)
                if ((mask >> first & (lanes == 32 ? uint.MaxValue : (1u << lanes) - 1)) is not 0 and var part)
                {
                    count.SharedPasses += Passes(addresses.Slice(first, lanes), part, bytes);
                    count.SharedLeastPasses++;
                }
        }
        else
        {
            count.GlobalRequests++;
            count.GlobalBytes += (long)threads * bytes;
            count.GlobalSectors += Sectors(addresses, mask, bytes);
        }
    }

    /// <summary>How often the banks are asked: as often as the most wanted one has different words to give.</summary>
    private static int Passes(ReadOnlySpan<ulong> addresses, uint mask, int bytes)
    {
        Span<ulong> words = stackalloc ulong[Banks];
        Span<int> perBank = stackalloc int[Banks];
        perBank.Clear();
        int known = 0, most = 1;
        for (int i = 0; i < addresses.Length; i++)
            for (ulong at = addresses[i] / BankBytes; (mask >> i & 1) != 0 && at <= (addresses[i] + (ulong)bytes - 1) / BankBytes; at++)
            {
                if (words[..known].Contains(at))
                    continue;
                words[known++] = at;
                most = Math.Max(most, ++perBank[(int)(at % Banks)]);
            }
        return most;
    }

    private static int Sectors(ReadOnlySpan<ulong> addresses, uint mask, int bytes)
    {
        Span<ulong> sectors = stackalloc ulong[Warp.Lanes];
        int known = 0;
        for (int i = 0; i < addresses.Length; i++)
        {
            // No access is longer than a sector, and all are aligned: each lies in one.
            if ((mask >> i & 1) != 0 && addresses[i] / SectorBytes is var sector && !sectors[..known].Contains(sector))
                sectors[known++] = sector;
        }
        return known;
    }
}

/// <summary>What one instruction did in a launch.</summary>
public record struct InstructionCount
{
    /// <summary>How often a warp came by.</summary>
    public long Warps;

    /// <summary>How often a thread carried it out.</summary>
    public long Threads;

    /// <summary>Floating-point operations, a fused multiply-add counted as 2.</summary>
    public long Flops;

    /// <summary>Accesses of warps to global memory, the 32-byte sectors that they touch, and the bytes that threads asked for.</summary>
    public long GlobalRequests, GlobalSectors, GlobalBytes;

    /// <summary>Accesses of warps to shared memory, how often its banks were asked, how often at least, and the bytes that threads asked for.</summary>
    public long SharedRequests, SharedPasses, SharedLeastPasses, SharedBytes;

    /// <summary>What so many blocks did, if <paramref name="run"/> of them did this and the others alike.</summary>
    public readonly InstructionCount Of(long blocks, long run)
    {
        if (blocks == run)
            return this;
        long Whole(long counted) => (long)(((UInt128)counted * (UInt128)blocks + (UInt128)run / 2) / (UInt128)run);
        return new()
        {
            Warps = Whole(Warps),
            Threads = Whole(Threads),
            Flops = Whole(Flops),
            GlobalRequests = Whole(GlobalRequests),
            GlobalSectors = Whole(GlobalSectors),
            GlobalBytes = Whole(GlobalBytes),
            SharedRequests = Whole(SharedRequests),
            SharedPasses = Whole(SharedPasses),
            SharedLeastPasses = Whole(SharedLeastPasses),
            SharedBytes = Whole(SharedBytes),
        };
    }

    public static InstructionCount operator +(InstructionCount a, in InstructionCount b) => new()
    {
        Warps = a.Warps + b.Warps,
        Threads = a.Threads + b.Threads,
        Flops = a.Flops + b.Flops,
        GlobalRequests = a.GlobalRequests + b.GlobalRequests,
        GlobalSectors = a.GlobalSectors + b.GlobalSectors,
        GlobalBytes = a.GlobalBytes + b.GlobalBytes,
        SharedRequests = a.SharedRequests + b.SharedRequests,
        SharedPasses = a.SharedPasses + b.SharedPasses,
        SharedLeastPasses = a.SharedLeastPasses + b.SharedLeastPasses,
        SharedBytes = a.SharedBytes + b.SharedBytes,
    };
}
