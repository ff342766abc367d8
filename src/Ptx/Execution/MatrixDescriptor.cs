namespace IlgpuNetVlad.Ptx;

/// <summary>
/// Where the numbers of an operand of wgmma stand in shared memory, as the 64 bits of the instruction's descriptor say: the first byte, two distances, and how groups of 16 bytes are
/// swizzled. The layouts are the canonical ones of the PTX ISA ("Asynchronous warpgroup level canonical layouts"), for numbers of 16 bits.
/// </summary>
internal readonly struct MatrixDescriptor
{
    private const int Numbers = 8, ChunkBytes = 16;

    private readonly int start, leading, stride, baseOffset, width;

    public MatrixDescriptor(ulong bits)
    {
        start = Field(bits, 0);
        leading = Field(bits, 16);
        stride = Field(bits, 32);
        baseOffset = (int)(bits >> 49 & 7);
        width = (int)(bits >> 62) switch { 1 => 128, 2 => 64, 3 => 32, _ => ChunkBytes };
    }

    /// <summary>What is wrong with it, or null: patterns of eight swizzled lines begin at multiples of their size here, as they do where the base offset is 0.</summary>
    public string? Wrong()
    {
        if (baseOffset != 0)
            return $"a base offset of {baseOffset} is not known here";
        int pattern = 8 * width;
        return width > ChunkBytes && start % pattern >= width ? $"the tile at {start} does not begin in the first line of a pattern of {pattern} bytes" : null;
    }

    /// <summary>Where a chunk of eight numbers stands that follow one another in memory.</summary>
    /// <param name="line">Row of A, or column of B.</param>
    /// <param name="across">Whether the lines of a k are neighbours, instead of the k of a line.</param>
    public int Chunk(int line, int k, bool across)
    {
        bool plain = width == ChunkBytes;
        int group = width / 2;
        int at = (across, plain) switch
        {
            (false, true) => line / 8 * stride + line % 8 * ChunkBytes + k / Numbers * leading,
            (false, false) => line / 8 * stride + line % 8 * width + k * 2,
            (true, true) => line / Numbers * stride + k % 8 * ChunkBytes + k / 8 * leading,
            (true, false) => line / group * leading + line % group * 2 + k % 8 * width + k / 8 * stride,
        };
        at += start;
        return at ^ (at >> 7 & width / ChunkBytes - 1) << 4;
    }

    /// <summary>14 bits that count 16 bytes.</summary>
    private static int Field(ulong bits, int at) => (int)(bits >> at & 0x3FFF) << 4;
}
