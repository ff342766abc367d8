namespace IlgpuNetVlad.Kernels;

/// <summary>A convolution of images' numbers, which are given as 8-bit pixels.</summary>
public readonly record struct PixelConvolutionShape(ConvolutionShape Convolution, PixelNumbers Numbers)
{
    /// <summary>The pixels of all images, in a buffer of floats.</summary>
    public BufferSpec Pixels => new("pixels", (long)Convolution.B * PixelNumbers.Floats(Convolution.H, Convolution.W), Access.Read, IsIndex: true);

    public override string ToString() => $"{Convolution}, from pixels";

    /// <summary>What is wrong in one sentence, or null.</summary>
    public string? Wrong()
        => Convolution.Wrong() ?? (Convolution.Ic != PixelNumbers.Channels ? "pixels have three channels"
            : Convolution.XBf16 != 0 ? "what pixels become is kept nowhere, so not in bf16"
            : 4 * Pixels.Length > int.MaxValue ? "a buffer of more than 2³¹ − 1 bytes of pixels is not supported: use smaller batches" : null);
}
