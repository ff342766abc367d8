namespace IlgpuNetVlad.Kernels;

/// <summary>Rows of fp32 and the rows of chunks that they become, filled up with zeros.</summary>
/// <param name="Channels">Numbers in a row.</param>
/// <param name="RowChunks">Chunks in a row.</param>
/// <param name="Masked">1: a number is 0 where the mask is at most 0.</param>
/// <param name="Turned">1: fp32 lies as [Channels][Rows].</param>
/// <param name="Beside">Numbers between a row of fp32 and the next, where it is not turned.</param>
/// <param name="Ready">1: what comes is rows of bf16 already.</param>
internal readonly record struct PackingShape(int Rows, int Channels, int RowChunks, int Masked, int Turned, int Beside, int Ready)
{
    public int Chunks => Rows * RowChunks;

    public static PackingShape Of<TNumbers>(int rows, int channels, int masked = 0, int turned = 0, int beside = 0, int ready = 0)
        where TNumbers : struct, ITensorNumbers
        => new(rows, channels, (channels + default(TNumbers).PerChunk - 1) / default(TNumbers).PerChunk, masked, turned, beside, ready);
}
