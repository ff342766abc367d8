using System.Runtime.InteropServices;
using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>Two neighbouring channels of a pixel.</summary>
internal struct MapPair
{
    public float First, Second;
}

/// <summary>
/// Maps in bf16: one row a pixel, filled up with zeros to whole chunks of eight numbers, so that products on tensor cores copy them as they are. In a buffer of floats a word holds two
/// numbers, the first in its lower half.
/// <code>
/// C = 20      0 1 2 3 4 5 6 7 | 8 … 15 | 16 17 18 19 0 0 0 0      3 chunks of 16 bytes, 12 words
/// </code>
/// </summary>
public static class Bf16Rows
{
    /// <summary>Numbers in a chunk.</summary>
    private const int PerChunk = 8;

    /// <summary>What a number may be off after it was rounded twice, by a variant and by Reference, each time at most 2⁻⁹ of it: what comparisons of written maps admit.</summary>
    public const double Rounding = 1 / 256.0;

    /// <summary>Floats of a buffer that a row of so many channels takes.</summary>
    public static int RowFloats(int channels) => (channels + PerChunk - 1) / PerChunk * (PerChunk / 2);

    /// <summary>Floats of a buffer that a map takes.</summary>
    public static long Floats(long pixels, int channels) => pixels * RowFloats(channels);

    /// <summary>Rounds rows of fp32, on the host.</summary>
    /// <param name="to">Of <see cref="Floats"/>; filled up with zeros.</param>
    public static void Pack(ReadOnlySpan<float> values, int channels, Span<float> to)
    {
        int row = RowFloats(channels);
        var words = MemoryMarshal.Cast<float, uint>(to);
        for (int i = 0; i < words.Length; i++)
        {
            int at = i / row * channels, c = i % row * 2;
            words[i] = TensorCore.Pack(c < channels ? values[at + c] : 0, c + 1 < channels ? values[at + c + 1] : 0);
        }
    }

    /// <summary>The numbers of rows, on the host.</summary>
    public static float[] Unpack(ReadOnlySpan<float> rows, int channels)
    {
        int row = RowFloats(channels);
        var words = MemoryMarshal.Cast<float, uint>(rows);
        var values = new float[(long)rows.Length / row * channels];
        for (int i = 0; i < values.Length; i++)
        {
            uint word = words[i / channels * row + i % channels / 2];
            values[i] = i % channels % 2 == 0 ? Low(word) : High(word);
        }
        return values;
    }

    /// <summary>The first of two numbers.</summary>
    internal static float Low(uint word) => Interop.IntAsFloat(word << 16);

    /// <summary>The second of two numbers.</summary>
    internal static float High(uint word) => Interop.IntAsFloat(word & 0xFFFF0000u);

    /// <summary>Two channels of a pixel, in a kernel; what lies beyond the last is 0.</summary>
    /// <param name="bf16">1 where the map is rows of bf16, 0 where it is fp32.</param>
    /// <param name="channel">Even, less than <paramref name="channels"/>.</param>
    internal static MapPair Load(ArrayView<float> map, int bf16, int pixel, int channel, int channels)
    {
        if (bf16 != 0)
        {
            uint word = Interop.FloatAsInt(map[pixel * RowFloats(channels) + channel / 2]);
            return new() { First = Low(word), Second = High(word) };
        }
        int at = pixel * channels + channel;
        return new() { First = map[at], Second = channel + 1 < channels ? map[at + 1] : 0 };
    }

    /// <summary>Writes two channels of a pixel, in a kernel; what lies beyond the last is written as 0 where the row holds it, and not at all elsewhere.</summary>
    /// <inheritdoc cref="Load"/>
    /// <param name="beside">Channels of other maps between a pixel and the next; whole chunks where the map is bf16.</param>
    internal static void Store(ArrayView<float> map, int bf16, int pixel, int channel, int channels, float first, float second, int beside = 0)
    {
        bool both = channel + 1 < channels;
        if (bf16 == 0)
        {
            if (channel < channels)
                TensorCorePair.Store(map, pixel * (channels + beside) + channel, channels | beside, both, first, second);
            return;
        }
        int row = RowFloats(channels);
        if (channel / 2 < row)
            map[pixel * (row + beside / 2) + channel / 2] = Interop.IntAsFloat(TensorCore.Pack(channel < channels ? first : 0, both ? second : 0));
    }
}
