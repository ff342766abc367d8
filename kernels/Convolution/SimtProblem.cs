using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>A convolution as the large tiles in fp32 take it, with what a kernel would have to divide for.</summary>
/// <param name="P">Rows of y.</param>
/// <param name="Q">Columns of y.</param>
/// <param name="Advance">From one load of a thread to the next along k, in the digits in which the kernel counts k.</param>
/// <param name="Slices">Of the gradient by weights: parts into which the pixels are cut…</param>
/// <param name="Group">…and the group of channels.</param>
internal readonly record struct SimtProblem(ConvolutionShape S, int P, int Q, int GroupIc, int GroupOc, Odometer Advance, int Slices, int Group)
{
    /// <param name="seconds">Values of the second digit of k…</param>
    /// <param name="thirds">…and of the third.</param>
    /// <param name="advance">k of the advance.</param>
    public static SimtProblem Of(in ConvolutionShape s, int seconds, int thirds, int slices = 1, int group = 0, int advance = SimtLargeTile<WideSimtTile>.Depth)
        => new(s, s.P, s.Q, s.GroupIc, s.GroupOc, Odometer.Of(advance, seconds, thirds), slices, group);

    /// <summary>Whether all of it can go by fours: channels of a group, and what stands beside it in a map, are multiples of four, and the views begin at multiples of 16 bytes.</summary>
    public static bool GoesByFours(in ConvolutionShape s, ArrayView<float> x, ArrayView<float> w, ArrayView<float> y, ArrayView<float> dy)
        => s.GroupIc % 4 == 0 && s.GroupOc % 4 == 0 && SimtVectors.Of(x, s.Ic) + SimtVectors.Of(w, s.Oc) + SimtVectors.Of(y, s.YPitch) + SimtVectors.Of(dy, s.YPitch) == 4;
}
