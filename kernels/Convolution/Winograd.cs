namespace IlgpuNetVlad.Kernels;

/// <summary>
/// Winograd's minimal filtering (Lavin and Gray, 1509.09308, section 4.1) with six points along a side, F(4×4, 3×3) and F(2×2, 5×5): a tile of 4×4 outputs of a 3×3
/// convolution takes 36 products a channel pair instead of 144, a tile of 2×2 outputs of a 5×5 convolution 36 instead of 100. The inputs' transform is the same for both.
/// <code>
/// Y  = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A            d 6×6 inputs, g weights, Y outputs
/// dg = Gᵀ [ (A dY Aᵀ) ⊙ (Bᵀ d B) ] G            summed over tiles: its transpose
/// </code>
/// It interpolates polynomials at the points 0, ±a, ±b, ∞. With a = 5/8, b = 3/2 every constant of Aᵀ and Bᵀ is exact in fp32 and the rounding error is half
/// of that with ±1, ±2. Relative L2 errors against fp64, measured on uniform inputs and weights: 7.7e-7 over 64 channels, 1.5e-6 over 256, 2.1e-6 over 512, forward and
/// backward for data; 5.2e-7 by weights over 24 tiles. With 5×5 taps 8.8e-7 over 64 channels and
/// 1.7e-6 over 256, forward and backward for data; 1.0e-6 by weights over 96 tiles.
/// <code>
/// Bᵀ row 0     a²b²·d0 − (a²+b²)·d2 + d4        Aᵀ  1   1   1   1   1   0        G  1/(a²b²)·(1, 0, 0)
///    row ±a    (d4 − b²·d2) ± a·(d3 − b²·d1)        0   a  −a   b  −b   0           1/(2a²(a²−b²))·(1, ±a, a²)
///    row ±b    (d4 − a²·d2) ± b·(d3 − a²·d1)        0   a²  a²  b²  b²  0           1/(2b²(b²−a²))·(1, ±b, b²)
///    row ∞     a²b²·d1 − (a²+b²)·d3 + d5            0   a³ −a³  b³ −b³  1           (0, 0, 1)
/// 5×5: Aᵀ      1   1   1   1   1   0                G columns go on to the fourth power: 1/(2a²(a²−b²))·(1, ±a, a², ±a³, a⁴), (0, 0, 0, 0, 1)
///              0   a  −a   b  −b   1
/// </code>
/// Where 1 or 2 rows are left below a map's whole tiles, a tile of 2×4 outputs of a 3×3 convolution does with the points 0, ±a, ∞ from top to bottom: 24 products. Bᵀ alone is another one, so scaled that
/// weights and their sums stay those of whole tiles:
/// <code>
/// Bᵀ row 0     a²b²·d0 − b²·d2                  Aᵀ  1   1   1   0
///    row ±a    (a²−b²)·d2 ± a·(a²−b²)·d1            0   a  −a   1
///    row ∞     d3 − a²·d1
/// </code>
/// </summary>
internal static class Winograd
{
    /// <summary>Rows and columns of inputs that a tile reads, and its products a channel pair.</summary>
    public const int Patch = 6, Points = Patch * Patch;

    /// <summary>Rows of inputs that a half tile reads.</summary>
    public const int HalfPatch = 4;

    /// <summary>The points that half tiles leave out, those of the rows ±b: the first, and how many.</summary>
    public const int FirstFar = 3 * Patch, Far = 2 * Patch;

    public const float A = 0.625f, A2 = A * A, A3 = A * A * A, B = 1.5f, B2 = B * B, B3 = B * B * B;

    /// <summary>a²b² and a² + b².</summary>
    public const float Product = A2 * B2, Sum = A2 + B2;

    /// <summary>a² − b².</summary>
    public const float Difference = A2 - B2;

    /// <summary>Whether half tiles leave a point out.</summary>
    public static bool IsFar(int point) => (uint)(point - FirstFar) < Far;
}
