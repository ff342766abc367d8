namespace IlgpuNetVlad.Ptx;

/// <summary>
/// Global memory of a launch: named buffers, each with a range of addresses of its own and nothing near it, so that an access past the end of one never lands
/// in the next.
/// </summary>
public sealed unsafe class GlobalMemory
{
    private const ulong First = 0x7_0000_0000, Gap = 1 << 16, Alignment = 256;

    private readonly List<Range> ranges = [];
    private readonly List<byte[]> owned = [];

    /// <summary>Of all that was ever mapped.</summary>
    private ulong end = First - Gap;

    private int last;

    private sealed record Range(string Name, ulong Start, ulong End, nint Pointer);

    /// <summary>A new buffer of zeros.</summary>
    /// <returns>Its address, a multiple of 256.</returns>
    public ulong Allocate(string name, int bytes)
    {
        byte[] memory = GC.AllocateArray<byte>(Math.Max(bytes, 1), pinned: true);
        owned.Add(memory);
        fixed (byte* pointer = memory)
            return Map(name, pointer, bytes);
    }

    /// <summary>A new buffer with these values.</summary>
    public ulong Allocate<T>(string name, ReadOnlySpan<T> values)
        where T : unmanaged
    {
        ulong address = Allocate(name, values.Length * sizeof(T));
        values.CopyTo(Values<T>(address, values.Length));
        return address;
    }

    /// <summary>Memory of the caller, which has to stay where it is. The same memory may be mapped twice.</summary>
    /// <param name="phase">How far its start lies behind a multiple of 256 bytes.</param>
    /// <returns>Its address for kernels.</returns>
    public ulong Map(string name, void* pointer, long bytes, int phase = 0)
    {
        ulong start = (end + Gap + Alignment - 1) / Alignment * Alignment + (ulong)phase;
        end = start + (ulong)bytes;
        ranges.Add(new(name, start, end, (nint)pointer));
        return start;
    }

    /// <summary>Takes a buffer away, by its address. None gets that address again, so whoever still uses it finds nothing there.</summary>
    public void Unmap(ulong address)
    {
        int index = IndexBefore(address);
        ranges.RemoveAt(index >= 0 && ranges[index].Start == address ? index : throw new ArgumentException($"No buffer begins at 0x{address:x}."));
        last = 0;
    }

    /// <summary>Whether an address belongs to a buffer.</summary>
    public bool IsMapped(ulong address) => IndexBefore(address) is var index and >= 0 && address < ranges[index].End;

    /// <summary>The values that stand at an address.</summary>
    public Span<T> Values<T>(ulong address, int count)
        where T : unmanaged
        => new(Find(address, count * sizeof(T)), count);

    /// <summary>Where an access lies in the host's memory, or null if not all of it belongs to one buffer.</summary>
    internal byte* Find(ulong address, int bytes)
    {
        var range = ranges.Count == 0 ? null : ranges[last];
        if (range is null || address < range.Start || address + (ulong)bytes > range.End)
        {
            last = Math.Max(0, IndexBefore(address));
            range = ranges.Count == 0 ? null : ranges[last];
            if (range is null || address < range.Start || address + (ulong)bytes > range.End)
                return null;
        }
        return (byte*)range.Pointer + (address - range.Start);
    }

    /// <summary>Where an address lies, in words.</summary>
    internal string Describe(ulong address)
    {
        int index = IndexBefore(address);
        return index < 0 ? $"0x{address:x}, before every buffer" : $"byte {address - ranges[index].Start} from the start of {ranges[index].Name}, which has {ranges[index].End - ranges[index].Start}";
    }

    private int IndexBefore(ulong address)
    {
        int low = 0, high = ranges.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (ranges[middle].Start <= address)
                low = middle + 1;
            else
                high = middle;
        }
        return low - 1;
    }
}
