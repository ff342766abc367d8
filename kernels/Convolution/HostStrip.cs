using System.Runtime.CompilerServices;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// One image as a convolution of stride <see cref="Step"/> without padding would read it: zeros around it, ReLU's mask applied. A tile copies
/// the part that it needs, a strip, next to its core; then no inner loop knows of borders.
/// </summary>
/// <param name="mask">Zero where this is ≤ 0; null for no mask.</param>
/// <param name="pixelPitch">Floats from one pixel of the source and of the mask to the next.</param>
/// <param name="step">Pixels of the virtual image between neighbouring outputs.</param>
/// <param name="padTop">Zeros before the first row; negative where the kernel never reaches it. The same for columns.</param>
internal readonly unsafe struct HostStrip(float* source, float* mask, int height, int width, int channels, int pixelPitch, int step, int padTop, int padLeft, int kernelRows, int kernelColumns)
{
    public readonly int Step = step;
    public readonly int Channels = channels;

    /// <summary>8-bit pixels in the source's place, which become <see cref="Numbers"/>; null where the source holds numbers.</summary>
    public byte* Pixels { get; init; }

    public PixelNumbers Numbers { get; init; }

    /// <summary>Where not 0, the source is a ring of so many rows of one image: row r stands in row r mod Ring.</summary>
    public int Ring { get; init; }

    /// <summary>True where the image itself serves so many outputs: nothing to pad, mask or convert.</summary>
    public bool IsDirect(int outRows, int outColumns) => Pixels == null && Ring == 0 && padTop == 0 && padLeft == 0 && mask == null && pixelPitch == Channels && Rows(outRows) <= height && Columns(outColumns) <= width;

    /// <summary>The strip of one group's channels alone, of so many in the image: its pixels follow each other closely, where those of an image of many groups lie so far apart that few sets of a cache hold them.</summary>
    public HostStrip OfGroup(int group, int groupChannels)
        => new(source == null ? null : source + group * groupChannels, mask == null ? null : mask + group * groupChannels, height, width, groupChannels, pixelPitch, Step, padTop, padLeft, kernelRows, kernelColumns) { Ring = Ring };

    /// <summary>Columns that a strip of so many output columns reads.</summary>
    public int Columns(int outputs) => (outputs - 1) * Step + kernelColumns;

    /// <summary>Rows that a strip of so many output rows reads.</summary>
    public int Rows(int outputs) => (outputs - 1) * Step + kernelRows;

    /// <summary>Address of what output (row, column) reads first, and the floats from one row to the next.</summary>
    public float* Direct(int image, int row, int column, out int pitch)
    {
        pitch = width * Channels;
        return source + ((long)image * height + row * Step) * pitch + column * Step * Channels;
    }

    /// <summary>Copies what outputs (row … + rows, column … + columns) read to <paramref name="to"/>, rows <see cref="Columns"/>·channels apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Fill(float* to, int image, int row, int rows, int column, int columns)
    {
        int virtualColumns = Columns(columns), virtualRows = Rows(rows), left = column * Step - padLeft;
        int pitch = virtualColumns * Channels;
        int from = Math.Clamp(left, 0, width), until = Math.Clamp(left + virtualColumns, from, width);
        int before = Math.Clamp(from - left, 0, virtualColumns) * Channels, count = (until - from) * Channels;
        for (int i = 0; i < virtualRows; i++, to += pitch)
        {
            int at = row * Step - padTop + i;
            var line = new Span<float>(to, pitch);
            if (at < 0 || at >= height)
            {
                line.Clear();
                continue;
            }
            line[..before].Clear();
            long start = (((long)image * height + (Ring == 0 ? at : at % Ring)) * width + from) * pixelPitch;
            if (Pixels != null)
                HostPixels.Convert(Numbers, Pixels + (long)image * PixelNumbers.Floats(height, width) * sizeof(float) + ((long)at * width + from) * Channels, to + before, count);
            else if (pixelPitch == Channels)
                HostMask.Copy(source, mask, start, to + before, count);
            else
                HostMask.CopyPixels(source, mask, start, pixelPitch, to + before, Channels, until - from);
            line[(before + count)..].Clear();
        }
    }
}
