using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// What the taps of a convolution read for one output pixel, in the order of w's rows: one tap after the other, and in it every channel. In the padding, and beyond the last tap, stands 0. It goes from
/// number to number without a division, and reads without a branch.
/// </summary>
internal struct TapRow : IPackingRow
{
    private ArrayView<float> x;
    private ConvolutionShape s;
    private int image, row, column, r, tap, channel;

    /// <param name="image">Image·H.</param>
    /// <param name="row">Row that tap (0, 0) reads; H where the pixel lies beyond the last.</param>
    /// <param name="column">Column that it reads.</param>
    /// <param name="k">Index of the next number.</param>
    public static TapRow At(ArrayView<float> x, in ConvolutionShape s, int image, int row, int column, int k)
    {
        int tap = k / s.Ic;
        return new() { x = x, s = s, image = image, row = row, column = column, r = tap / s.S, tap = tap % s.S, channel = k % s.Ic };
    }

    public float Next()
    {
        int h = row + r, w = column + tap;
        bool inside = r < s.R && h >= 0 && h < s.H && w >= 0 && w < s.W;
        float value = x[inside ? ((image + h) * s.W + w) * s.Ic + channel : 0];
        channel++;
        bool next = channel == s.Ic;
        channel = next ? 0 : channel;
        tap += next ? 1 : 0;
        bool line = tap == s.S;
        tap = line ? 0 : tap;
        r += line ? 1 : 0;
        return inside ? value : 0;
    }
}
