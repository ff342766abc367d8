using System.Collections.Concurrent;
using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// What the threads of a simulated block share, so that the instructions of Hopper have a meaning on the CPU: addresses of its shared memory, the mbarriers there, who may read which tensor map, and
/// the first fault. Shared memory begins as NaN. An exception would take the process with it, so a fault is kept, the block runs to its end without waiting, and the launch throws.
/// </summary>
internal sealed unsafe class SimulatedBlock
{
    /// <summary>Where shared memory begins: no multiple of a pattern of the swizzle, as on no chip it need be one.</summary>
    private const uint First = 1024 + 16;

    private static readonly Lock OneLaunch = new();
    private static readonly ushort[] Beyond = [.. Enumerable.Repeat(ushort.MaxValue, 8)];
    private static readonly ConcurrentDictionary<nint, SimulatedBlock> Blocks = [];
    private static int sharedBytes;
    private static string? fault;

    [ThreadStatic]
    private static SimulatedBlock? own;

    private readonly byte* memory;
    private readonly ConcurrentDictionary<uint, SimulatedBarrier> barriers = [];
    private readonly ConcurrentDictionary<(int Thread, nint Map), bool> acquired = [];
    private int progress;

    private SimulatedBlock(byte* memory)
    {
        this.memory = memory;
        Spoil(First, sharedBytes);
    }

    /// <summary>The block of this thread.</summary>
    public static SimulatedBlock Own => own!;

    /// <summary>Whether something went wrong in this launch: nobody waits then.</summary>
    public static bool Failed => Volatile.Read(ref fault) is not null;

    /// <summary>Changes when something happens on which a thread may be waiting.</summary>
    public int Progress => Volatile.Read(ref progress);

    /// <summary>Loads a kernel on the accelerator of simulated warps.</summary>
    /// <exception cref="InvalidOperationException">Of the launcher: what a thread did wrong first.</exception>
    public static TLauncher Load<TLauncher>(SimtKernel kernel, Accelerator accelerator)
        where TLauncher : Delegate
    {
        var launcher = CudaLoader.OnDefaultStream<TLauncher>(accelerator.LoadKernel(kernel.Method, kernel.Bounds));
        var parameters = typeof(TLauncher).GetMethod("Invoke")!.GetParameters().Select(p => Expression.Parameter(p.ParameterType)).ToArray();
        var launch = Expression.Lambda<Action>(Expression.Invoke(Expression.Constant(launcher), parameters));
        return Expression.Lambda<TLauncher>(Expression.Call(typeof(SimulatedBlock), nameof(Launch), null, Expression.Constant(kernel, typeof(SimtKernel)), launch), parameters).Compile();
    }

    private static void Launch(SimtKernel kernel, Action launch)
    {
        lock (OneLaunch)
        {
            sharedBytes = kernel.DynamicSharedBytes;
            launch();
            Blocks.Clear();
            if (Interlocked.Exchange(ref fault, null) is { } wrong)
                throw new InvalidOperationException($"{kernel.Name}, {wrong}.");
        }
    }

    /// <summary>Begins a block; every thread calls once.</summary>
    /// <param name="shared">The first of the shared memory that the kernel asked for.</param>
    /// <returns>Its address.</returns>
    public static uint Begin(ref Chunk shared)
    {
        byte* memory = (byte*)Unsafe.AsPointer(ref shared);
        if (Group.IdxX == 0)
            Blocks[(nint)memory] = new(memory);
        Group.Barrier();
        own = Blocks[(nint)memory];
        return First;
    }

    /// <summary>Keeps the first fault of a launch.</summary>
    public static void Fail(string what)
        => Interlocked.CompareExchange(ref fault, $"block ({Grid.IdxX}, {Grid.IdxY}, {Grid.IdxZ}), thread {Group.IdxX}: {what}", null);

    public void Proceed() => Interlocked.Increment(ref progress);

    /// <summary>Shared memory from an address on; nothing, and a fault, where so many bytes reach beyond.</summary>
    public Span<byte> At(uint address, int bytes)
    {
        if (address >= First && address - First + (ulong)bytes <= (ulong)sharedBytes)
            return new(memory + (address - First), bytes);
        Fail($"{bytes} bytes at {address} do not lie in the {sharedBytes} bytes of shared memory from {First} on");
        return default;
    }

    /// <summary>What stood there is no more: NaN, whoever reads it as bf16 or fp32.</summary>
    public void Spoil(uint address, int bytes) => At(address, bytes).Fill(0xFF);

    public void Make(uint address, int arrivals)
    {
        if (address % MemoryBarrier.Bytes != 0)
            Fail($"an mbarrier at {address}, which is no multiple of {MemoryBarrier.Bytes}");
        if (!At(address, MemoryBarrier.Bytes).IsEmpty)
            barriers[address] = new(this, address, arrivals, Group.IdxX);
    }

    /// <summary>The others know of the mbarriers that this thread has made.</summary>
    public void Publish()
    {
        foreach (var barrier in barriers.Values)
            if (barrier.Maker == Group.IdxX)
                barrier.Published = true;
    }

    /// <summary>An mbarrier for a thread that uses it; null, and a fault, where it can know of none.</summary>
    public SimulatedBarrier? Barrier(uint address)
    {
        if (barriers.TryGetValue(address, out var barrier) && (barrier.Published || barrier.Maker == Group.IdxX))
            return barrier;
        Fail(barrier is null ? $"there is no mbarrier at {address}" : $"the mbarrier at {address} was not published");
        return null;
    }

    public void Acquire(nint map) => acquired[(Group.IdxX, map)] = true;

    public bool HasAcquired(nint map) => acquired.ContainsKey((Group.IdxX, map));

    /// <summary>
    /// Eight numbers of bf16 of an operand of wgmma that are neighbours in memory, among them the one asked for. Its descriptor is read as the PTX ISA has it: lines of 128 bytes in patterns of eight, of
    /// which each line has its own order of 16 bytes.
    /// </summary>
    /// <param name="line">Row of A, or column of B.</param>
    /// <param name="across">Whether the lines of a k are neighbours, instead of the k of a line.</param>
    public ReadOnlySpan<ushort> Eight(ulong descriptor, int line, int k, bool across)
    {
        uint start = Field(descriptor, 0), leading = Field(descriptor, 16), stride = Field(descriptor, 32);
        uint at = across ? (uint)line / 64 * leading + (uint)k / 8 * stride + (uint)(k % 8 * 128 + line % 64 / 8 * 16) : (uint)line / 8 * stride + (uint)(line % 8 * 128 + k / 8 * 16);
        var bytes = At(Swizzle(start + at), 8 * sizeof(ushort));
        return bytes.IsEmpty ? Beyond : MemoryMarshal.Cast<byte, ushort>(bytes);
    }

    /// <summary>The 128-byte swizzle: which group of 16 bytes of its line an address is of, by the line of the pattern.</summary>
    public static uint Swizzle(uint address) => address ^ (address >> 7 & 7) << 4;

    /// <summary>14 bits that count 16 bytes.</summary>
    private static uint Field(ulong descriptor, int at) => (uint)(descriptor >> at & 0x3FFF) << 4;
}
