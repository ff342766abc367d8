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

    /// <summary>Floats of a buffer that the bytes [height, width, 3] of an image take, four in each: every image begins at a whole one, and the last may be filled with anything.</summary>
    public static int Floats(int height, int width) => checked((int)((3L * height * width + 3) / 4));
}
