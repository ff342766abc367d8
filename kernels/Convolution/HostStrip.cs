namespace IlgpuNetVlad.Kernels;

/// <summary>
/// One image as a convolution of stride <see cref="Step"/> without padding would read it: zeros around it, zeros between its pixels where the
/// backward pass of a strided convolution needs them (<see cref="Dilation"/>), ReLU's mask applied. A tile copies the part that it needs, a
/// strip, next to its core; then no inner loop knows of borders.
/// </summary>
/// <param name="mask">Zero where this is ≤ 0; null for no mask.</param>
/// <param name="step">Pixels of the virtual image between neighbouring outputs.</param>
/// <param name="padTop">Zeros before the first row; negative where the kernel never reaches it. The same for columns.</param>
internal readonly unsafe struct HostStrip(float* source, float* mask, int height, int width, int channels, int step, int dilation, int padTop, int padLeft, int kernelRows, int kernelColumns)
{
    public readonly int Step = step;
    public readonly int Channels = channels;

    /// <summary>True where the image itself serves: nothing to pad, mask or spread.</summary>
    public bool IsDirect => padTop == 0 && padLeft == 0 && dilation == 1 && mask == null;

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
    public void Fill(float* to, int image, int row, int rows, int column, int columns)
    {
        int virtualColumns = Columns(columns), virtualRows = Rows(rows), left = column * Step - padLeft;
        int pitch = virtualColumns * Channels;
        for (int i = 0; i < virtualRows; i++, to += pitch)
        {
            int at = row * Step - padTop + i;
            var line = new Span<float>(to, pitch);
            if (at < 0 || at % dilation != 0 || at / dilation >= height)
            {
                line.Clear();
                continue;
            }
            long start = ((long)image * height + at / dilation) * width * Channels;
            if (dilation == 1)
            {
                int from = Math.Max(left, 0), until = Math.Max(from, Math.Min(left + virtualColumns, width));
                line[..Math.Min(pitch, (from - left) * Channels)].Clear();
                Copy(to + (from - left) * Channels, start + (long)from * Channels, (until - from) * Channels);
                if (until - left < virtualColumns)
                    line[Math.Max(0, (until - left) * Channels)..].Clear();
                continue;
            }
            line.Clear();
            for (int j = 0; j < virtualColumns; j++)
            {
                int pixel = left + j;
                if (pixel >= 0 && pixel % dilation == 0 && pixel / dilation < width)
                    Copy(to + j * Channels, start + (long)(pixel / dilation) * Channels, Channels);
            }
        }
    }

    private void Copy(float* to, long from, int count)
    {
        if (count <= 0)
            return;
        if (mask == null)
        {
            new ReadOnlySpan<float>(source + from, count).CopyTo(new Span<float>(to, count));
            return;
        }
        HostMask.Apply(source + from, mask + from, to, count);
    }
}
