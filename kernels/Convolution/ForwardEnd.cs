using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>What comes behind the sums of a convolution on tensor cores: bias, ReLU, and the way to y.</summary>
internal static class ForwardEnd
{
    /// <summary>Two neighbouring channels of a pixel, either of which may lie beyond the last.</summary>
    public static void Store<TPixels>(ArrayView<float> b, ArrayView<float> y, in ConvolutionShape s, int row, int column, float first, float second)
        where TPixels : struct, ITensorPixels
    {
        if (row >= s.B * default(TPixels).Rows(s) * default(TPixels).Columns(s))
            return;
        if (s.HasBias != 0)
        {
            if (column < s.Oc)
                first += b[column];
            if (column + 1 < s.Oc)
                second += b[column + 1];
        }
        if (s.Relu != 0)
        {
            first = first < 0 ? 0 : first;
            second = second < 0 ? 0 : second;
        }
        Bf16Rows.Store(y, s.YBf16, row, column, s.Oc, first, second, s.Beside);
    }
}
