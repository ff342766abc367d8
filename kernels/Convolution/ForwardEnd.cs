using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>What comes behind the sums of a convolution on tensor cores: bias, ReLU, and the way to y.</summary>
internal static class ForwardEnd
{
    /// <summary>Two neighbouring channels of a pixel, either of which may lie beyond the last.</summary>
    public static void Store<TPixels>(ArrayView<float> b, ArrayView<float> y, in ConvolutionShape s, int row, int column, float first, float second)
        where TPixels : struct, ITensorPixels
    {
        if (row >= s.B * default(TPixels).Rows(s) * default(TPixels).Columns(s) || column >= s.Oc)
            return;
        bool both = column + 1 < s.Oc;
        if (s.HasBias != 0)
        {
            first += b[column];
            if (both)
                second += b[column + 1];
        }
        if (s.Relu != 0)
        {
            first = first < 0 ? 0 : first;
            second = second < 0 ? 0 : second;
        }
        TensorCorePair.Store(y, row * s.YPitch + column, s.Oc | s.Beside, both, first, second);
    }
}
