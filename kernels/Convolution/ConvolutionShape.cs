namespace IlgpuNetVlad.Kernels;

/// <summary>Shapes and settings of a convolution. Square strides and paddings, no dilation.</summary>
/// <param name="B">Images.</param>
/// <param name="H">Rows of the input map.</param>
/// <param name="W">Columns of the input map.</param>
/// <param name="Ic">Input channels, a multiple of <paramref name="Groups"/>.</param>
/// <param name="Oc">Output channels, a multiple of <paramref name="Groups"/>.</param>
/// <param name="R">Rows of the kernel.</param>
/// <param name="S">Columns of the kernel.</param>
/// <param name="Padding">Zeros around the input, on every side.</param>
/// <param name="Relu">1: max(0, ·) after the bias.</param>
/// <param name="HasBias">1: b is added.</param>
/// <param name="Beside">Channels of other maps that stand between a pixel of y, dy and the next: those are then views into a joined map, which begin at this one's first channel.</param>
/// <param name="XBf16">1: x, and dx, are rows of bf16 (<see cref="Bf16Rows"/>); 0: fp32.</param>
/// <param name="YBf16">The same of y and dy.</param>
public readonly record struct ConvolutionShape(
    int B, int H, int W, int Ic, int Oc, int R, int S, int Stride = 1, int Padding = 0, int Groups = 1, int Relu = 0, int HasBias = 1, int Beside = 0, int XBf16 = 0, int YBf16 = 0)
{
    /// <summary>Rows of the output map.</summary>
    public int P => (H + 2 * Padding - R) / Stride + 1;

    /// <summary>Columns of the output map.</summary>
    public int Q => (W + 2 * Padding - S) / Stride + 1;

    /// <summary>Input channels of one group.</summary>
    public int GroupIc => Ic / Groups;

    /// <summary>Output channels of one group.</summary>
    public int GroupOc => Oc / Groups;

    public int XLength => B * H * W * Ic;

    public int WLength => R * S * GroupIc * Oc;

    /// <summary>Numbers from one pixel of y and dy to the next.</summary>
    public int YPitch => Oc + Beside;

    /// <summary>From the first number of y to its last.</summary>
    public int YLength => B * P * Q == 0 ? 0 : B * P * Q * YPitch - Beside;

    /// <summary>Multiply-adds count 2; the same for each direction.</summary>
    public double Flops => 2.0 * B * P * Q * Oc * R * S * GroupIc;

    /// <summary>Not the computed sizes: the message about a stride of 0 must not divide by it.</summary>
    public override string ToString()
        => $"{B}×[{H},{W},{Ic}] to {Oc} by {R}×{S}, stride {Stride}, padding {Padding}, groups {Groups}{(HasBias != 0 ? ", bias" : "")}{(Relu != 0 ? ", relu" : "")}"
            + $"{(Beside != 0 ? $", beside {Beside}" : "")}{(XBf16 != 0 ? ", x in bf16" : "")}{(YBf16 != 0 ? ", y in bf16" : "")}";

    /// <summary>What is wrong in one sentence, or null.</summary>
    public string? Wrong()
    {
        if (B < 0 || H < 1 || W < 1 || Ic < 1 || Oc < 1 || R < 1 || S < 1 || Stride < 1 || Padding < 0 || Groups < 1 || Beside < 0)
            return "B must not be negative, Padding neither, Beside neither, and the other sizes must be 1 or more";
        if (Ic % Groups != 0 || Oc % Groups != 0)
            return $"Ic {Ic} and Oc {Oc} must be multiples of Groups {Groups}";
        if (H + 2 * Padding < R || W + 2 * Padding < S)
            return $"the padded input {H + 2 * Padding}×{W + 2 * Padding} is smaller than the kernel {R}×{S}";
        if (YBf16 != 0 && Beside != 0 && (Oc % 8 != 0 || Beside % 8 != 0))
            return $"a part of {Oc} channels beside {Beside} of a joined map in bf16 must be whole chunks of eight";
        if ((long)B * H * W * Ic > int.MaxValue || (long)B * P * Q * YPitch > int.MaxValue || (long)R * S * GroupIc * Oc > int.MaxValue
            || XBf16 != 0 && Bf16Rows.Floats((long)B * H * W, Ic) > int.MaxValue || YBf16 != 0 && Bf16Rows.Floats((long)B * P * Q, YPitch) > int.MaxValue)
            return "a buffer of more than 2³¹ − 1 numbers is not supported: use smaller batches";
        return null;
    }
}
