using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Tests.DeviceTests;

/// <summary>Rounding by arithmetic, where the kernels do it by bits.</summary>
internal static class Rounding
{
    /// <summary>Each number to the significant bits of a precision, to even where two are as near.</summary>
    public static void To(Precision precision, Span<float> values)
    {
        if (precision == Precision.Fp32)
            return;
        int bits = precision == Precision.Bf16 ? 8 : 11;
        foreach (ref float value in values)
            if (value != 0 && float.IsFinite(value))
            {
                double unit = Math.Pow(2, Math.Floor(Math.Log2(Math.Abs((double)value))) - bits + 1);
                value = (float)(Math.Round(value / unit, MidpointRounding.ToEven) * unit);
            }
    }

    /// <summary>The same problem, or, where its pixels would be rounded when they have become numbers, one whose numbers a precision holds exactly: whole ones of up to 8 bits, by powers of two.</summary>
    public static object To(Precision precision, object problem) => (precision, problem) switch
    {
        (Precision.Fp32, _) => problem,
        (_, PixelConvolutionShape s) => s with { Numbers = Exact },
        (_, PixelWindowedShape s) => s with { Numbers = Exact },
        _ => problem,
    };

    private static readonly PixelNumbers Exact = new(124, 116, 104, 1 / 64f, 1 / 32f, 1 / 128f);
}
