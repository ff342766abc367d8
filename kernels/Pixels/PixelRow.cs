using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>The numbers of one 8-bit pixel, and zeros behind them.</summary>
/// <param name="Numbers">For the channel that is next.</param>
/// <param name="At">The byte that is next.</param>
/// <param name="Read">How many were read.</param>
internal record struct PixelRow(ArrayView<float> Pixels, PixelNumbers Numbers, int At, int Read) : IPackingRow
{
    public float Next()
    {
        if (Read == PixelNumbers.Channels)
            return 0;
        float value = Numbers.Of(0, Pixels.Cast<byte>()[At]);
        Numbers = Numbers.Turned(1);
        At++;
        Read++;
        return value;
    }
}
