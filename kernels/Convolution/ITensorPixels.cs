namespace IlgpuNetVlad.Kernels;

/// <summary>What a forward convolution on tensor cores writes, as constants of a kernel.</summary>
internal interface ITensorPixels
{
    string Operation { get; }

    /// <summary>Whether it writes the maxima of 2×2 pixels.</summary>
    bool Pools { get; }

    /// <summary>Rows of a map that it writes.</summary>
    int Rows(in ConvolutionShape s);

    /// <summary>Columns of a map that it writes.</summary>
    int Columns(in ConvolutionShape s);
}

/// <summary>Every pixel.</summary>
internal readonly struct EveryPixel : ITensorPixels
{
    public string Operation => "forward";

    public bool Pools => false;

    public int Rows(in ConvolutionShape s) => s.P;

    public int Columns(in ConvolutionShape s) => s.Q;
}

/// <summary>The maxima of 2×2; an odd row or column at the end is dropped.</summary>
internal readonly struct PooledPixels : ITensorPixels
{
    public string Operation => "forward-pooled";

    public bool Pools => true;

    public int Rows(in ConvolutionShape s) => s.P / 2;

    public int Columns(in ConvolutionShape s) => s.Q / 2;
}
