namespace IlgpuNetVlad.Kernels;

/// <summary>A <see cref="TensorBox"/> as copies of tensors read it from global memory, at a multiple of 64 bytes: in the driver's layout, which is its secret, in the executor's, or for simulated blocks.</summary>
public unsafe struct TensorMapBytes
{
    public const int Length = 128;

    private fixed ulong content[Length / sizeof(ulong)];
}
