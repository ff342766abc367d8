namespace IlgpuNetVlad.Kernels;

/// <summary>Four neighbouring numbers, 16 bytes: what one thread reads or writes at a time.</summary>
public struct Float4
{
    public float X, Y, Z, W;
}
