namespace IlgpuNetVlad.Kernels;

/// <summary>
/// Some rows of one image's convolution, both of whose maps may be rings of fewer rows than the map has: row r stands in row r mod the ring's rows. So layers that follow one another band by
/// band keep no more of the maps between them than the next band reads.
/// </summary>
/// <param name="Convolution">Of the whole image; its batch is 1.</param>
/// <param name="First">The first row of the result, before pooling.</param>
/// <param name="Rows">Rows of the result, before pooling; 1 or more.</param>
/// <param name="XRing">Rows of x: the map's, or fewer, but no fewer than these rows read.</param>
/// <param name="YRing">Rows of y: the map's, or fewer, but no fewer than are written.</param>
/// <param name="Pooled">1: y has the maxima of 2×2, an odd row or column at the map's end left out; First is even then, and Rows unless they end with the map.</param>
/// <param name="FromPixels">1: x is 8-bit pixels, all of the image, which stand for <paramref name="Numbers"/>.</param>
public readonly record struct ConvolutionBand(
    ConvolutionShape Convolution, int First, int Rows, int XRing, int YRing, int Pooled = 0, int FromPixels = 0, PixelNumbers Numbers = default)
{
    /// <summary>All rows of a map.</summary>
    public static ConvolutionBand Whole(ConvolutionShape convolution, int pooled = 0)
        => new(convolution, 0, convolution.P, convolution.H, pooled != 0 ? convolution.P / 2 : convolution.P, pooled);

    /// <summary>The band of all rows, of maps that stand whole.</summary>
    public ConvolutionBand All => Whole(Convolution, Pooled) with { FromPixels = FromPixels, Numbers = Numbers };

    /// <summary>The first row of x that it reads.</summary>
    public int XFirst => Math.Clamp(First * Convolution.Stride - Convolution.Padding, 0, Convolution.H);

    /// <summary>Behind the last row of x that it reads.</summary>
    public int XEnd => Math.Clamp((First + Rows - 1) * Convolution.Stride - Convolution.Padding + Convolution.R, XFirst, Convolution.H);

    /// <summary>The first row of y that it writes.</summary>
    public int YFirst => Pooled != 0 ? First / 2 : First;

    /// <summary>Behind the last row of y that it writes.</summary>
    public int YEnd => Pooled != 0 ? (First + Rows) / 2 : First + Rows;

    /// <summary>Rows of y's map.</summary>
    public int MapRows => Pooled != 0 ? Convolution.P / 2 : Convolution.P;

    /// <summary>Columns of y's map.</summary>
    public int MapColumns => Pooled != 0 ? Convolution.Q / 2 : Convolution.Q;

    public BufferSpec X => new("x", FromPixels != 0 ? PixelNumbers.Floats(Convolution.H, Convolution.W) : (long)XRing * Convolution.W * Convolution.Ic, Access.Read);

    /// <summary>Rows that it does not write are left as they are.</summary>
    public BufferSpec Y => new("y", (long)YRing * MapColumns * Convolution.Oc, Access.ReadWrite);

    public double Flops => Convolution.Flops / Convolution.P * Rows;

    public override string ToString()
        => $"{Convolution}{(Pooled != 0 ? ", pooled" : "")}{(FromPixels != 0 ? ", from pixels" : "")}{(Rows < Convolution.P ? $", rows {First} to {First + Rows}, rings of {XRing} and {YRing}" : "")}";

    /// <summary>What is wrong in one sentence, or null.</summary>
    public string? Wrong()
    {
        if (Convolution.Wrong() is { } wrong)
            return wrong;
        if (Convolution.B != 1 || Convolution.Beside != 0 || (Convolution.XBf16 | Convolution.YBf16) != 0)
            return "a band is of one image, in fp32, and no part of a joined map";
        if (First < 0 || Rows < 1 || First + Rows > Convolution.P)
            return $"rows {First} to {First + Rows} must be some of {Convolution.P}";
        if (XRing > Convolution.H || XRing < XEnd - XFirst || YRing > MapRows || YRing < YEnd - YFirst)
            return $"rings of {XRing} and {YRing} rows must hold rows {XFirst} to {XEnd} of {Convolution.H} and {YFirst} to {YEnd} of {MapRows}";
        if (Pooled != 0 && (MapColumns == 0 || YEnd == YFirst || First % 2 != 0 || Rows % 2 != 0 && First + Rows < Convolution.P))
            return "pooled rows must be whole windows of 2×2";
        return FromPixels != 0 && (Convolution.Ic != PixelNumbers.Channels || XRing != Convolution.H) ? "pixels have three channels, and all of the image is there" : null;
    }
}
