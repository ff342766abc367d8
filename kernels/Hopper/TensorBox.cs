namespace IlgpuNetVlad.Kernels;

/// <summary>
/// What a copy by Hopper's TMA brings: of a dense tensor of bf16 with four dimensions a box, of which what lies beside the tensor comes as zeros. In shared memory each line of 64 numbers takes
/// 128 bytes, one behind the other, whose groups of 16 bytes stand where the 128-byte swizzle of wgmma's descriptors wants them. A map in rows of bf16 (<see cref="Bf16Rows"/>) is such a tensor, and
/// packed weights are.
/// </summary>
/// <param name="Address">Of the first number, a multiple of 16 bytes.</param>
/// <param name="Channels">Numbers along the innermost dimension, a multiple of 8.</param>
/// <param name="Columns">Along the next.</param>
/// <param name="Rows">Along the next.</param>
/// <param name="Maps">Along the outermost.</param>
/// <param name="BoxColumns">Of a box, which is 64 channels wide and of one map: 1 to 256.</param>
/// <param name="BoxRows">1 to 256.</param>
public readonly record struct TensorBox(nint Address, int Channels, int Columns, int Rows, int Maps, int BoxColumns, int BoxRows)
{
    public const int BoxChannels = 64;

    /// <summary>Bytes of a channel's number.</summary>
    public const int NumberBytes = 2;

    /// <summary>Bytes of the tensor.</summary>
    public long Bytes => (long)NumberBytes * Channels * Columns * Rows * Maps;
}
