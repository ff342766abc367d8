using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>One of several bands that run one after the other (<see cref="Convolution.ForwardBands"/>), and its buffers.</summary>
/// <param name="After">So many bands, counted from the first, are over before this one begins: those whose rows it reads, and those that read what stood where it writes.</param>
/// <param name="B">May be empty where the convolution has no bias.</param>
/// <param name="Prepared">What <see cref="Convolution.ForwardBandOperation"/> makes of the weights.</param>
/// <param name="Workspace">No other convolution's.</param>
public readonly record struct ConvolutionBandStep(
    ConvolutionBand Band, int After, ArrayView<float> X, ArrayView<float> B, ArrayView<float> Y, ArrayView<float> Prepared, ArrayView<float> Workspace);
