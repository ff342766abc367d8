namespace IlgpuNetVlad.Kernels;

/// <summary>
/// Winograd's minimal filtering F(4×4, 3×3) (Lavin and Gray, 1509.09308, section 4.1): a tile of 4×4 outputs of a 3×3 convolution takes 36 products a
/// channel pair instead of 144.
/// <code>
/// Y  = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A            d 6×6 inputs, g 3×3 weights, Y 4×4 outputs
/// dg = Gᵀ [ (A dY Aᵀ) ⊙ (Bᵀ d B) ] G            summed over tiles: its transpose
/// </code>
/// It interpolates polynomials at the points 0, ±a, ±b, ∞. With a = 5/8, b = 3/2 every constant of Aᵀ and Bᵀ is exact in fp32 and the rounding error is half
/// of that with ±1, ±2. Relative L2 errors against fp64, measured on uniform inputs and weights: 7.7e-7 over 64 channels, 1.5e-6 over 256, 2.1e-6 over 512, forward and
/// backward for data; 5.2e-7 by weights over 24 tiles.
/// <code>
/// Bᵀ row 0     a²b²·d0 − (a²+b²)·d2 + d4        Aᵀ  1   1   1   1   1   0        G  1/(a²b²)·(1, 0, 0)
///    row ±a    (d4 − b²·d2) ± a·(d3 − b²·d1)        0   a  −a   b  −b   0           1/(2a²(a²−b²))·(1, ±a, a²)
///    row ±b    (d4 − a²·d2) ± b·(d3 − a²·d1)        0   a²  a²  b²  b²  0           1/(2b²(b²−a²))·(1, ±b, b²)
///    row ∞     a²b²·d1 − (a²+b²)·d3 + d5            0   a³ −a³  b³ −b³  1           (0, 0, 1)
/// </code>
/// </summary>
internal static class Winograd
{
    /// <summary>Rows and columns of outputs that a tile has, of inputs that it reads, and its products a channel pair.</summary>
    public const int Tile = 4, Patch = 6, Points = Patch * Patch;

    public const float A = 0.625f, A2 = A * A, A3 = A * A * A, B = 1.5f, B2 = B * B, B3 = B * B * B;

    /// <summary>a²b² and a² + b².</summary>
    public const float Product = A2 * B2, Sum = A2 + B2;

    /// <summary>G: rows are points, columns the powers 0, 1, 2.</summary>
    public static readonly double[] G = MakeG();

    private static double[] MakeG()
    {
        const double a = A, b = B;
        double nearZero = 1 / (a * a * b * b), nearA = 1 / (2 * a * a * (a * a - b * b)), nearB = 1 / (2 * b * b * (b * b - a * a));
        return
        [
            nearZero, 0, 0,
            nearA, nearA * a, nearA * a * a,
            nearA, -nearA * a, nearA * a * a,
            nearB, nearB * b, nearB * b * b,
            nearB, -nearB * b, nearB * b * b,
            0, 0, 1,
        ];
    }

    /// <summary>
    /// Why a forward pass or a gradient by data is not computed so, or null: by the image alone, for what an image gives must not depend on what else is in its batch.
    /// </summary>
    public static string? Refuses(ConvolutionShape s)
        => RefusesShape(s, 16) ?? (ImageTiles(s) < 12 ? "takes maps of 12 tiles or more: with fewer, transforming the weights costs more than it saves" : null);

    /// <summary>
    /// Why a gradient by weights, whose transforms are the most, is not computed so, or null. It is a sum over the batch, whose tiles decide: measured on channels from
    /// 64 to 512, with 96 of them or more this way takes less time, with 48 more.
    /// </summary>
    public static string? RefusesGradient(ConvolutionShape s)
        => RefusesShape(s, 24) ?? (s.B * ImageTiles(s) is > 0 and < 64 ? "takes batches of 64 tiles or more: with fewer, transforming the weights costs more than it saves" : null);

    private static string? RefusesShape(ConvolutionShape s, int channels)
    {
        if (s.R != 3 || s.S != 3 || s.Stride != 1 || s.Groups != 1 || s.Padding > 2)
            return "takes 3×3 taps with stride 1, one group and at most 2 pixels of padding";
        if (s.Ic < channels || s.Oc < channels)
            return "takes more channels (16 on both sides, for the gradient by weights 24): with few, the transforms cost more than the products";
        return ImageTiles(s) * Tile * Tile > 2L * s.P * s.Q ? "takes maps that fill half of their 4×4 tiles" : null;
    }

    private static long ImageTiles(ConvolutionShape s) => (long)Tiles(s.P) * Tiles(s.Q);

    /// <summary>Tiles along a side of so many outputs.</summary>
    public static int Tiles(int outputs) => (outputs + Tile - 1) / Tile;
}
