using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>Eight numbers of bf16 as two chunks of fp32, which tf32 holds as they are: bf16 is fp32 without its lower half.</summary>
internal static class Bf16Eight
{
    /// <param name="half">0: the first four; 1: the others.</param>
    public static Chunk Widened(Chunk eight, int half)
    {
        uint first = half == 0 ? eight.X : eight.Z, second = half == 0 ? eight.Y : eight.W;
        return new() { X = first << 16, Y = first & 0xFFFF0000u, Z = second << 16, W = second & 0xFFFF0000u };
    }

    /// <summary>A chunk of a map, or zeros.</summary>
    public static Chunk Read(ArrayView<Chunk> from, int index, bool inside)
    {
        var eight = from[inside ? index : 0];
        return new() { X = inside ? eight.X : 0, Y = inside ? eight.Y : 0, Z = inside ? eight.Z : 0, W = inside ? eight.W : 0 };
    }
}
