using System.Runtime.Intrinsics;
using ILGPU;

namespace IlgpuNetVlad.Kernels;

public static unsafe partial class Gemm
{
    /// <summary>Rows and columns below which operands are used too seldom to pay for packing both of them.</summary>
    private const int PackedFrom = 1024;

    /// <summary>
    /// The same for the tiles of AVX-512 and rows of a in one run, whose other way is nearly as quick: M·N / (M + N), multiply-adds for a number that is packed. 1024 × 1024, 512 of them, took 1.04 to 1.11 of
    /// the time of tiles, 1536 × 1536, 768, 1.02, and 1024 × 4096, 819, 0.99.
    /// </summary>
    private const int UsesOfRows = 800;

    private static string? LeavesToTiles(Device device, GemmShape s)
        => Math.Min(s.M, s.N) < PackedFrom ? $"is quicker from {PackedFrom} × {PackedFrom} on"
            : Vector512.IsHardwareAccelerated && s.TransposeA == 0 && (long)s.M * s.N < UsesOfRows * ((long)s.M + s.N) ? $"is quicker from M·N / (M + N) = {UsesOfRows} on" : null;

    /// <summary>Enough for fewer rows too, which the variant behind this takes.</summary>
    private static long PackedWorkspace(Device device, GemmShape s) => Math.Max(PackedProduct<float>.PackedLength(s.M, s.N, s.K), device.Threads * WorkerScratch(s, HostRows));

    private static void RunPacked(Device device, in GemmShape s, ReadOnlySpan<ArrayView<float>> v, ArrayView<float> workspace)
    {
        if (s.M == 0)
            return;
        var a = new ProductOperand<float>(HostMemory.Pointer(v[0]), s.TransposeA != 0 ? s.M : s.K, s.TransposeA == 0);
        var b = new ProductOperand<float>(HostMemory.Pointer(v[1]), s.TransposeB != 0 ? s.K : s.N, s.TransposeB != 0);
        new PackedProduct<float>(s.M, s.N, s.K, a, b, HostMemory.Pointer(v[2]), s.N, TileStart.Zero, TileStart.Continued, upper: false, HostMemory.Pointer(workspace)).Run(device);
    }
}
