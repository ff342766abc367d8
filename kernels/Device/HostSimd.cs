using System.Runtime.Intrinsics;

namespace IlgpuNetVlad.Kernels;

/// <summary>Which vector width the Host variants use. Bodies test it by these constants, which the JIT folds away.</summary>
public static class HostSimd
{
    /// <summary>Floats in the widest vector that is hardware accelerated: 16, 8 or 4 (also 4 when none is: then the JIT emulates it).</summary>
    public static int Lanes => Vector512.IsHardwareAccelerated ? 16 : Vector256.IsHardwareAccelerated ? 8 : 4;

    public static string Description =>
        Vector512.IsHardwareAccelerated ? "AVX-512"
        : Vector256.IsHardwareAccelerated ? "AVX2"
        : Vector128.IsHardwareAccelerated ? "128-bit vectors"
        : "no vector instructions";
}
