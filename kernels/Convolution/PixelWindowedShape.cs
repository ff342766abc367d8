namespace IlgpuNetVlad.Kernels;

/// <summary>A convolution of images' numbers, which are given as 8-bit pixels, and the max pooling of its result.</summary>
public readonly record struct PixelWindowedShape(WindowedConvolutionShape Windowed, PixelNumbers Numbers)
{
    public PixelConvolutionShape Convolution => new(Windowed.Convolution, Numbers);

    public override string ToString() => $"{Windowed}, from pixels";

    /// <summary>What is wrong in one sentence, or null.</summary>
    public string? Wrong() => Windowed.Wrong() ?? Convolution.Wrong();
}
