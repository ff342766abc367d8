using System.Runtime.InteropServices;
using IlgpuNetVlad.Ptx;

namespace IlgpuNetVlad.PtxDriver;

/// <summary>
/// Memory of the device and page-locked memory of the host. An address of the device means nothing to the host, and what was given up is never given again, so that its later use is found.
/// New memory holds NaN: what a GPU's holds is anybody's guess.
/// </summary>
internal sealed unsafe class DeviceMemory(long capacity)
{
    private const byte Guess = 0xFF;

    private readonly Dictionary<ulong, (nint Pointer, long Bytes)> blocks = [];
    private readonly SortedList<ulong, ulong> locked = [];
    private long used;

    public GlobalMemory Global { get; } = new();

    public long Free => capacity - used;

    public ulong Allocate(long bytes)
    {
        if (bytes <= 0)
            throw new DriverException(CudaResult.InvalidValue, $"{bytes} bytes cannot be allocated.");
        if (bytes > Free)
            throw new DriverException(CudaResult.OutOfMemory, $"{bytes} bytes do not fit: {used} of {capacity} are taken.");
        void* pointer = NativeMemory.Alloc((nuint)bytes);
        NativeMemory.Fill(pointer, (nuint)bytes, Guess);
        ulong address = Global.Map($"allocation {blocks.Count + 1}", pointer, bytes);
        blocks.Add(address, ((nint)pointer, bytes));
        used += bytes;
        return address;
    }

    public void Release(ulong address)
    {
        if (!blocks.Remove(address, out var block))
            throw new DriverException(CudaResult.InvalidValue, $"0x{address:x} is no allocation of the device, or was given up before.");
        Global.Unmap(address);
        NativeMemory.Free((void*)block.Pointer);
        used -= block.Bytes;
    }

    public void Lock(void* pointer, long bytes) => locked[(ulong)pointer] = (ulong)pointer + (ulong)bytes;

    public void Unlock(void* pointer)
    {
        if (!locked.Remove((ulong)pointer))
            throw new DriverException(CudaResult.InvalidValue, $"0x{(ulong)pointer:x} is no page-locked memory.");
    }

    /// <summary>Whether host memory is page-locked, all of it.</summary>
    public bool IsLocked(ulong address, long bytes) => locked.Any(range => range.Key <= address && address + (ulong)bytes <= range.Value);

    /// <summary>Where bytes stand, on the device or the host.</summary>
    /// <exception cref="DriverException">They reach over the end of an allocation.</exception>
    public byte* At(ulong address, long bytes, bool device)
    {
        if (!device)
            return (byte*)address;
        if (bytes > int.MaxValue)
        {
            // Both ends in the same allocation.
            byte* first = Global.Find(address, 1), last = Global.Find(address + (ulong)bytes - 1, 1);
            return first != null && last == first + bytes - 1 ? first : throw Beyond(address, bytes);
        }
        byte* found = Global.Find(address, (int)bytes);
        return found != null ? found : throw Beyond(address, bytes);
    }

    private DriverException Beyond(ulong address, long bytes) => new(CudaResult.InvalidValue, $"{bytes} bytes at {Global.Describe(address)}.");
}
