namespace IlgpuNetVlad.Perf.Peers;

/// <summary>How far numbers lie from others, as a part of these.</summary>
internal static class RelativeDistance
{
    /// <summary>‖found − right‖₂ / ‖right‖₂; NaN where there are not as many.</summary>
    public static double L2(ReadOnlySpan<float> found, ReadOnlySpan<float> right)
    {
        if (found.Length != right.Length)
            return double.NaN;
        double apart = 0, norm = 0;
        for (int i = 0; i < right.Length; i++)
        {
            apart += Math.Pow((double)found[i] - right[i], 2);
            norm += (double)right[i] * right[i];
        }
        return Math.Sqrt(apart / norm);
    }
}
