namespace IlgpuNetVlad.Kernels;

/// <summary>16 bytes, what one thread copies at a time: eight bf16 of neighbouring channels, the first in the lower half of <see cref="X"/>.</summary>
public struct Chunk
{
    /// <summary>Numbers in bf16 that it holds.</summary>
    public const int Channels = 8;

    public uint X, Y, Z, W;

    /// <summary>Chunks that so many channels take; the rest of the last one is zero.</summary>
    public static int Of(int channels) => (channels + Channels - 1) / Channels;
}
