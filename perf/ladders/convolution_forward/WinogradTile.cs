using System.Runtime.Intrinsics;

namespace IlgpuNetVlad.Perf.Ladders.ConvolutionForward;

/// <summary>
/// Winograd's F(4×4, 3×3) at the points 0, ±a, ±b, ∞ (1509.09308, section 4.1; kernels/Convolution/Winograd.cs has the matrices): Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A. Lanes of a vector are
/// channels, so nothing is shuffled.
/// </summary>
internal readonly unsafe struct WinogradTile(float a, float b)
{
    public const int Out = 4, Patch = 6, Points = 36;

    private readonly float a = a, b = b, product = a * a * b * b, sum = a * a + b * b;

    /// <summary>Bᵀ d B of 16 channels.</summary>
    /// <param name="pixels">The 6×6 pixels, at their first of 16 channels.</param>
    /// <param name="to">Point q goes to q·<paramref name="step"/>.</param>
    public void Input(float** pixels, int channel, float* to, nint step)
    {
        var rows = stackalloc Vector512<float>[Points];
        for (int j = 0; j < Patch; j++)
            Spread(
                Vector512.Load(pixels[j] + channel), Vector512.Load(pixels[6 + j] + channel), Vector512.Load(pixels[12 + j] + channel),
                Vector512.Load(pixels[18 + j] + channel), Vector512.Load(pixels[24 + j] + channel), Vector512.Load(pixels[30 + j] + channel), (float*)(rows + j), 6 * 16);
        for (int i = 0; i < Patch; i++)
            Spread(rows[6 * i], rows[6 * i + 1], rows[6 * i + 2], rows[6 * i + 3], rows[6 * i + 4], rows[6 * i + 5], to + 6 * i * step, step);
    }

    /// <summary>Aᵀ m A of 16 channels, the 4×4 results one after the other.</summary>
    /// <param name="from">Point q lies at q·<paramref name="step"/>.</param>
    public void Output(float* from, nint step, Vector512<float>* to)
    {
        var rows = stackalloc Vector512<float>[Out * Patch];
        for (int j = 0; j < Patch; j++)
            Evaluate(
                Vector512.Load(from + j * step), Vector512.Load(from + (6 + j) * step), Vector512.Load(from + (12 + j) * step),
                Vector512.Load(from + (18 + j) * step), Vector512.Load(from + (24 + j) * step), Vector512.Load(from + (30 + j) * step), rows + j, 6);
        for (int i = 0; i < Out; i++)
            Evaluate(rows[6 * i], rows[6 * i + 1], rows[6 * i + 2], rows[6 * i + 3], rows[6 * i + 4], rows[6 * i + 5], to + 4 * i, 1);
    }

    /// <summary>G g Gᵀ of one filter, in fp64: 36 numbers.</summary>
    public void Weights(ReadOnlySpan<double> g, Span<double> to)
    {
        Span<double> powers = stackalloc double[18], rows = stackalloc double[18];
        double zero = 1 / ((double)a * a * b * b), nearA = 1 / (2.0 * a * a * (a * a - b * b)), nearB = 1 / (2.0 * b * b * (b * b - a * a));
        ((ReadOnlySpan<double>)[zero, 0, 0, nearA, nearA * a, nearA * a * a, nearA, -nearA * a, nearA * a * a, nearB, nearB * b, nearB * b * b, nearB, -nearB * b, nearB * b * b, 0, 0, 1]).CopyTo(powers);
        for (int i = 0; i < 6; i++)
            for (int j = 0; j < 3; j++)
                rows[3 * i + j] = powers[3 * i] * g[j] + powers[3 * i + 1] * g[3 + j] + powers[3 * i + 2] * g[6 + j];
        for (int i = 0; i < 6; i++)
            for (int j = 0; j < 6; j++)
                to[6 * i + j] = rows[3 * i] * powers[3 * j] + rows[3 * i + 1] * powers[3 * j + 1] + rows[3 * i + 2] * powers[3 * j + 2];
    }

    /// <summary>Bᵀ d.</summary>
    private void Spread(
        Vector512<float> d0, Vector512<float> d1, Vector512<float> d2, Vector512<float> d3, Vector512<float> d4, Vector512<float> d5, float* to, nint step)
    {
        (product * d0 - sum * d2 + d4).Store(to);
        Vector512<float> even = d4 - b * b * d2, odd = a * (d3 - b * b * d1);
        (even + odd).Store(to + step);
        (even - odd).Store(to + 2 * step);
        even = d4 - a * a * d2;
        odd = b * (d3 - a * a * d1);
        (even + odd).Store(to + 3 * step);
        (even - odd).Store(to + 4 * step);
        (product * d1 - sum * d3 + d5).Store(to + 5 * step);
    }

    /// <summary>Aᵀ m.</summary>
    private void Evaluate(
        Vector512<float> m0, Vector512<float> m1, Vector512<float> m2, Vector512<float> m3, Vector512<float> m4, Vector512<float> m5, Vector512<float>* to, nint step)
    {
        Vector512<float> nearSum = m1 + m2, near = m1 - m2, farSum = m3 + m4, far = m3 - m4;
        to[0] = m0 + nearSum + farSum;
        to[step] = a * near + b * far;
        to[2 * step] = a * a * nearSum + b * b * farSum;
        to[3 * step] = a * a * a * near + b * b * b * far + m5;
    }
}
