namespace IlgpuNetVlad.Kernels;

/// <summary>What runs the kernels of a <see cref="Device"/>.</summary>
public enum DeviceKind
{
    /// <summary>The processor, through the Host variants: SIMD bodies behind an ILGPU intrinsic, one group a core.</summary>
    Cpu,

    /// <summary>The processor pretending to be a GPU: Simt kernels run their own C# under simulated warps of 32. For tests only: it is slow.</summary>
    Simulation,

    /// <summary>An NVIDIA GPU.</summary>
    Cuda,
}
