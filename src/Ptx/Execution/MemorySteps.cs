using System.Buffers.Binary;

namespace IlgpuNetVlad.Ptx;

/// <summary>A step that touches memory: finds the bytes of each lane, and notes what is wrong with an access.</summary>
internal abstract class MemoryStep : Step
{
    /// <summary>Bytes in global memory; stops the run where there are none.</summary>
    protected unsafe byte* Global(Warp warp, int lane, ulong address, int bytes)
    {
        CheckAlignment(warp, lane, address, bytes);
        byte* found = warp.Block.Global.Find(address, bytes);
        if (found == null)
            warp.Block.Stop(PtxFaultKind.OutOfBounds, this, warp.FirstThread + lane, $"{bytes} bytes at {warp.Block.Global.Describe(address)}");
        return found;
    }

    /// <summary>Place of bytes in shared memory; stops the run where there are none.</summary>
    protected int Shared(Warp warp, int lane, ulong address, int bytes)
    {
        CheckAlignment(warp, lane, address, bytes);
        if (address + (ulong)bytes > (ulong)warp.Block.Shared.Bytes || address > int.MaxValue)
            warp.Block.Stop(PtxFaultKind.OutOfBounds, this, warp.FirstThread + lane, $"{bytes} bytes at {address} in shared memory of {warp.Block.Shared.Bytes}");
        return (int)address;
    }

    protected void Note(Warp warp, int thread, (PtxFaultKind Kind, string Message)? wrong)
    {
        if (wrong is { } fault)
            warp.Block.Report(fault.Kind, this, thread, fault.Message);
    }

    private void CheckAlignment(Warp warp, int lane, ulong address, int bytes)
    {
        if (address % (ulong)bytes != 0)
            warp.Block.Stop(PtxFaultKind.Misaligned, this, warp.FirstThread + lane, $"{bytes} bytes at 0x{address:x}, which is no multiple of {bytes}");
    }

    protected static ulong Read(ReadOnlySpan<byte> from, int bytes, bool signed) => bytes switch
    {
        1 => signed ? (ulong)(sbyte)from[0] : from[0],
        2 => signed ? (ulong)BinaryPrimitives.ReadInt16LittleEndian(from) : BinaryPrimitives.ReadUInt16LittleEndian(from),
        4 => signed ? (ulong)BinaryPrimitives.ReadInt32LittleEndian(from) : BinaryPrimitives.ReadUInt32LittleEndian(from),
        _ => BinaryPrimitives.ReadUInt64LittleEndian(from),
    };

    protected static void Write(Span<byte> to, int bytes, ulong value)
    {
        switch (bytes)
        {
            case 1:
                to[0] = (byte)value;
                break;
            case 2:
                BinaryPrimitives.WriteUInt16LittleEndian(to, (ushort)value);
                break;
            case 4:
                BinaryPrimitives.WriteUInt32LittleEndian(to, (uint)value);
                break;
            default:
                BinaryPrimitives.WriteUInt64LittleEndian(to, value);
                break;
        }
    }
}

/// <summary>A parameter, the same for all threads.</summary>
internal sealed class ParameterStep(int target, int place, int bytes, bool signed) : MemoryStep
{
    public override void Run(Warp warp, uint mask)
    {
        ulong value = Read(warp.Block.Parameters.AsSpan(place), bytes, signed);
        var to = warp.Lane(target);
        for (int i = 0; i < Warp.Lanes; i++)
            if ((mask >> i & 1) != 0)
                to[i] = value;
    }
}

/// <summary>One, two or four values from memory.</summary>
internal sealed unsafe class LoadStep(int[] targets, (int Slot, long Offset) from, int bytes, bool signed, bool shared) : MemoryStep
{
    public override void Run(Warp warp, uint mask)
    {
        int all = bytes * targets.Length;
        Span<ulong> addresses = stackalloc ulong[Warp.Lanes];
        var start = warp.Lane(from.Slot);
        for (int i = 0; i < Warp.Lanes; i++)
            addresses[i] = start[i] + (ulong)from.Offset;
        warp.Block.Count?.Accessed(this, addresses, mask, all, shared);
        for (int i = 0; i < Warp.Lanes; i++)
        {
            if ((mask >> i & 1) == 0)
                continue;
            ReadOnlySpan<byte> source;
            if (shared)
            {
                int place = Shared(warp, i, addresses[i], all);
                Note(warp, warp.FirstThread + i, warp.Block.Shared.Read(place, all, warp.FirstThread + i));
                source = warp.Block.Shared.Data.Slice(place, all);
            }
            else
                source = new(Global(warp, i, addresses[i], all), all);
            for (int t = 0; t < targets.Length; t++)
                warp.Lane(targets[t])[i] = Read(source[(t * bytes)..], bytes, signed);
        }
    }
}

/// <summary>One, two or four values to memory.</summary>
internal sealed unsafe class StoreStep((int Slot, long Offset) to, int[] sources, int bytes, bool shared) : MemoryStep
{
    public override void Run(Warp warp, uint mask)
    {
        int all = bytes * sources.Length;
        Span<ulong> addresses = stackalloc ulong[Warp.Lanes];
        var start = warp.Lane(to.Slot);
        for (int i = 0; i < Warp.Lanes; i++)
            addresses[i] = start[i] + (ulong)to.Offset;
        warp.Block.Count?.Accessed(this, addresses, mask, all, shared);
        for (int i = 0; i < Warp.Lanes; i++)
        {
            if ((mask >> i & 1) == 0)
                continue;
            Span<byte> target;
            if (shared)
            {
                int place = Shared(warp, i, addresses[i], all);
                Note(warp, warp.FirstThread + i, warp.Block.Shared.Write(place, all, warp.FirstThread + i));
                target = warp.Block.Shared.Data.Slice(place, all);
            }
            else
                target = new(Global(warp, i, addresses[i], all), all);
            for (int s = 0; s < sources.Length; s++)
                Write(target[(s * bytes)..], bytes, warp.Lane(sources[s])[i]);
        }
    }
}

/// <summary>Starts a copy from global to shared memory; what it does not take from there becomes zero.</summary>
/// <param name="taken">Slot of how many bytes to take from global memory; −1 for all.</param>
internal sealed unsafe class CopyStep((int Slot, long Offset) to, (int Slot, long Offset) from, int bytes, int taken) : MemoryStep
{
    public override void Run(Warp warp, uint mask)
    {
        Span<ulong> targets = stackalloc ulong[Warp.Lanes], sources = stackalloc ulong[Warp.Lanes];
        Span<byte> copied = stackalloc byte[16];
        uint reading = 0;
        for (int i = 0; i < Warp.Lanes; i++)
        {
            targets[i] = warp.Lane(to.Slot)[i] + (ulong)to.Offset;
            sources[i] = warp.Lane(from.Slot)[i] + (ulong)from.Offset;
            if (taken < 0 || (uint)warp.Lane(taken)[i] != 0)
                reading |= mask & 1u << i;
        }
        warp.Block.Count?.Accessed(this, targets, mask, bytes, true);
        warp.Block.Count?.Accessed(this, sources, reading, bytes, false);
        for (int i = 0; i < Warp.Lanes; i++)
        {
            if ((mask >> i & 1) == 0)
                continue;
            int thread = warp.FirstThread + i, place = Shared(warp, i, targets[i], bytes);
            int take = taken < 0 ? bytes : (int)Math.Min((uint)warp.Lane(taken)[i], (uint)bytes);
            copied.Clear();
            if (take > 0)
                new ReadOnlySpan<byte>(Global(warp, i, sources[i], bytes), take).CopyTo(copied);
            Note(warp, thread, warp.Block.Shared.StartCopy(place, bytes, thread));
            warp.CopiesOf(i).Start(place, bytes, BinaryPrimitives.ReadUInt128LittleEndian(copied));
        }
    }
}

/// <summary>Closes the group of the copies that each thread has started.</summary>
internal sealed class CommitStep : Step
{
    public override void Run(Warp warp, uint mask)
    {
        for (int i = 0; i < Warp.Lanes; i++)
            if ((mask >> i & 1) != 0)
                warp.CopiesOf(i).Commit();
    }
}

/// <summary>Waits until so many groups of each thread, or fewer, are on their way.</summary>
internal sealed class WaitStep(int left, bool commit) : Step
{
    public override void Run(Warp warp, uint mask)
    {
        for (int i = 0; i < Warp.Lanes; i++)
        {
            if ((mask >> i & 1) == 0)
                continue;
            if (commit)
                warp.CopiesOf(i).Commit();
            warp.CopiesOf(i).WaitForAllBut(left, warp.Block.Shared, warp.FirstThread + i);
        }
    }
}
