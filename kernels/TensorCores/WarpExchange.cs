using System.Runtime.InteropServices;
using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// What the 32 threads of a simulated warp show each other, so that instructions of whole warps have a meaning on the CPU. A thread of the CPU accelerator keeps its lane
/// for life, so the block of memory is agreed upon once. Two halves take turns: who writes one can be sure that everyone has read what stood there, for
/// the barrier of the other half lies between. So a value is read before the next is shown.
/// </summary>
internal static unsafe class WarpExchange
{
    private const int Lanes = 32, SlotBytes = 128;

    [ThreadStatic]
    private static byte* block;

    [ThreadStatic]
    private static bool second;

    /// <summary>Shows a value to the warp; every lane must call.</summary>
    /// <returns>Where the values of all lanes stand, <see cref="SlotBytes"/> apart; to be read before the next call.</returns>
    public static byte* Publish<T>(in T value)
        where T : unmanaged
    {
        if (block == null)
            Agree();
        byte* half = block + (second ? Lanes * SlotBytes : 0);
        second = !second;
        *(T*)(half + Warp.LaneIdx * SlotBytes) = value;
        Warp.Barrier();
        return half;
    }

    /// <summary>The value of a lane.</summary>
    public static T* Of<T>(byte* published, int lane)
        where T : unmanaged
        => (T*)(published + lane * SlotBytes);

    private static void Agree()
    {
        long address = Warp.LaneIdx == 0 ? (long)NativeMemory.AlignedAlloc(2 * Lanes * SlotBytes, SlotBytes) : 0;
        uint low = (uint)Warp.Shuffle((int)address, 0), high = (uint)Warp.Shuffle((int)(address >> 32), 0);
        block = (byte*)(((long)high << 32) | low);
    }
}
