using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>A copy of a box to the shared memory of a simulated block, as <see cref="TensorCopy"/> starts it.</summary>
/// <param name="box">What its tensor map holds here.</param>
internal sealed unsafe class SimulatedCopy(uint to, TensorBox box, int channel, int column, int row, int map)
{
    private const int LineBytes = TensorBox.BoxChannels * TensorBox.NumberBytes, PieceBytes = 16;

    public int Bytes => LineBytes * box.BoxColumns * box.BoxRows;

    /// <summary>Writes a map for simulated blocks: the box as it is.</summary>
    /// <exception cref="InvalidOperationException">A driver would not take it.</exception>
    public static void Encode(in TensorBox box, Span<float> map)
    {
        if (box.Address % PieceBytes != 0 || box.Channels % 8 != 0 || box.BoxColumns is < 1 or > 256 || box.BoxRows is < 1 or > 256 || box.Columns < 1 || box.Rows < 1 || box.Maps < 1)
            throw new InvalidOperationException($"{box} cannot be copied: it has to begin at a multiple of 16 bytes and have a multiple of 8 channels, and boxes 1 to 256 rows and columns.");
        MemoryMarshal.Write(MemoryMarshal.AsBytes(map), box);
    }

    public static void Start(uint to, ref TensorMapBytes map, int channel, int column, int row, int image, uint barrier)
    {
        var block = SimulatedBlock.Own;
        var copy = new SimulatedCopy(to, Unsafe.As<TensorMapBytes, TensorBox>(ref map), channel, column, row, image);
        if (!block.HasAcquired((nint)Unsafe.AsPointer(ref map)))
            SimulatedBlock.Fail("a copy by a tensor map that its thread has not acquired");
        if (to % 1024 != 0)
            SimulatedBlock.Fail($"a copy to {to}, where no pattern of the swizzle begins");
        block.Spoil(to, copy.Bytes);
        block.Barrier(barrier)?.Bring(copy);
    }

    /// <summary>Writes its numbers, and zeros for those beside the tensor.</summary>
    public void Arrive(SimulatedBlock block)
    {
        for (int line = 0; line < box.BoxColumns * box.BoxRows; line++)
        {
            long x = column + line % box.BoxColumns, y = row + line / box.BoxColumns;
            bool inside = x >= 0 && x < box.Columns && y >= 0 && y < box.Rows && map >= 0 && map < box.Maps;
            byte* pixel = (byte*)box.Address + TensorBox.NumberBytes * ((((long)map * box.Rows + y) * box.Columns + x) * box.Channels + channel);
            for (int piece = 0; piece < LineBytes / PieceBytes; piece++)
            {
                var place = block.At(SimulatedBlock.Swizzle(to + (uint)(line * LineBytes + piece * PieceBytes)), PieceBytes);
                // Channels come in eights, so a piece lies inside or beside.
                if (inside && channel + 8 * piece >= 0 && channel + 8 * piece < box.Channels)
                    new Span<byte>(pixel + piece * PieceBytes, PieceBytes).CopyTo(place);
                else
                    place.Clear();
            }
        }
    }
}
