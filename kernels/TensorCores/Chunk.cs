namespace IlgpuNetVlad.Kernels;

/// <summary>16 bytes, what one thread copies at a time: numbers of neighbouring channels, eight in bf16, of which the first is the lower half of <see cref="X"/>, or four in fp32.</summary>
public struct Chunk
{
    public uint X, Y, Z, W;
}
