using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>What a convolution of few channels reads (<see cref="TapRow{TSource}"/>), as constants of a kernel.</summary>
internal interface ITapSource
{
    /// <summary>Behind the operation's name.</summary>
    string Suffix { get; }

    /// <summary>From one image's first number to the next one's.</summary>
    int Image(in ConvolutionShape s);

    /// <param name="numbers">What 8-bit pixels stand for, the channel at <paramref name="index"/> first.</param>
    float Number(ArrayView<float> x, int index, in PixelNumbers numbers);

    /// <summary>What pixels stand for, the channel of number <paramref name="k"/> first.</summary>
    PixelNumbers From(in PixelNumbers numbers, int k);

    /// <summary><paramref name="numbers"/> for the number behind.</summary>
    PixelNumbers Next(in PixelNumbers numbers);
}

/// <summary>A map, or images, in fp32.</summary>
internal readonly struct FloatTaps : ITapSource
{
    public string Suffix => "";

    public int Image(in ConvolutionShape s) => s.H * s.W * s.Ic;

    public float Number(ArrayView<float> x, int index, in PixelNumbers numbers) => x[index];

    public PixelNumbers From(in PixelNumbers numbers, int k) => numbers;

    public PixelNumbers Next(in PixelNumbers numbers) => numbers;
}

/// <summary>8-bit pixels, which become numbers as they are read: a byte a number, every image from a whole word on.</summary>
internal readonly struct PixelTaps : ITapSource
{
    public string Suffix => "-pixels";

    public int Image(in ConvolutionShape s) => PixelNumbers.Bytes(s.H, s.W);

    public float Number(ArrayView<float> x, int index, in PixelNumbers numbers) => numbers.Of(0, x.Cast<byte>()[index]);

    public PixelNumbers From(in PixelNumbers numbers, int k) => numbers.Turned(k % PixelNumbers.Channels);

    public PixelNumbers Next(in PixelNumbers numbers) => numbers.Turned(1);
}
