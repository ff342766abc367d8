namespace IlgpuNetVlad.Kernels;

/// <summary>What the 8-bit pixels of an image stand for in a network: x = (pixel − mean) · scale, channel by channel, both operations rounded, the same on every device.</summary>
/// <param name="RedMean">0 … 255, as the other means.</param>
public readonly record struct PixelNumbers(float RedMean, float GreenMean, float BlueMean, float RedScale, float GreenScale, float BlueScale)
{
    /// <summary>Red, green, blue.</summary>
    public const int Channels = 3;

    public float Mean(int channel) => channel == 0 ? RedMean : channel == 1 ? GreenMean : BlueMean;

    public float Scale(int channel) => channel == 0 ? RedScale : channel == 1 ? GreenScale : BlueScale;

    public float Of(int channel, int pixel) => (pixel - Mean(channel)) * Scale(channel);

    /// <summary>The same with another channel first, behind which the others follow in turn.</summary>
    /// <param name="channel">0 … 2</param>
    public PixelNumbers Turned(int channel)
        => channel == 0 ? this
            : channel == 1 ? new(GreenMean, BlueMean, RedMean, GreenScale, BlueScale, RedScale)
            : new(BlueMean, RedMean, GreenMean, BlueScale, RedScale, GreenScale);

    /// <summary>From one image's first byte to the next one's, in a kernel: whole words.</summary>
    internal static int Bytes(int height, int width) => (Channels * height * width + 3) / 4 * 4;

    /// <summary>Floats of a buffer that the bytes [height, width, 3] of an image take, four in each: every image begins at a whole one, and the last may be filled with anything.</summary>
    public static int Floats(int height, int width) => checked((int)((3L * height * width + 3) / 4));
}
