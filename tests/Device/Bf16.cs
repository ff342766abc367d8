namespace IlgpuNetVlad.Tests.DeviceTests;

/// <summary>Rounding to bf16 by arithmetic, where the kernels do it by bits.</summary>
internal static class Bf16
{
    /// <summary>Each number to 8 significant bits, to even where two are as near.</summary>
    public static void Round(Span<float> values)
    {
        foreach (ref float value in values)
            if (value != 0 && float.IsFinite(value))
            {
                double unit = Math.Pow(2, Math.Floor(Math.Log2(Math.Abs((double)value))) - 7);
                value = (float)(Math.Round(value / unit, MidpointRounding.ToEven) * unit);
            }
    }
}
