namespace IlgpuNetVlad.Kernels;

/// <summary>Images whose pixels become numbers.</summary>
/// <param name="B">Images.</param>
/// <param name="H">Rows.</param>
/// <param name="W">Columns.</param>
public readonly record struct PixelsShape(int B, int H, int W, PixelNumbers Numbers)
{
    /// <summary>Of one image.</summary>
    public int Length => PixelNumbers.Channels * H * W;

    /// <summary>Floats of an image's bytes.</summary>
    public int Floats => PixelNumbers.Floats(H, W);

    public override string ToString() => $"{B}×[{H},{W}] pixels";

    /// <summary>What is wrong in one sentence, or null.</summary>
    public string? Wrong()
        => B < 0 || H < 1 || W < 1 ? "B must not be negative, H and W must be 1 or more"
            : (long)B * PixelNumbers.Channels * H * W > int.MaxValue ? "a buffer of more than 2³¹ − 1 numbers is not supported: use smaller batches" : null;
}
