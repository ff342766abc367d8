using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// What bounds the product of two rows that are rounded to bf16. With v = v̂ + r, a row as it is, as it is rounded, and the rest, and s the sum of q̂·d̂ on tensor cores,
/// <code>
/// |q·d − s| ≤ ‖q‖‖r_d‖ + ‖r_q‖‖d‖ + ‖r_q‖‖r_d‖ + γ(‖q‖ + ‖r_q‖)(‖d‖ + ‖r_d‖) = ‖q‖·α_d + ‖r_q‖·β_d
/// α = ‖r‖ + γ(‖d‖ + ‖r‖)      β = (1 + γ)(‖d‖ + ‖r‖)      γ = 2ε
/// </code>
/// by Cauchy and Schwarz, and because each of D additions is off by at most 2⁻²³ of the sum of what is added, whether the unit rounds or cuts off. ε = (D + 16)·2⁻²³ exceeds every error of the sums of D squares in fp32 here and in the
/// search, so squares are taken down by it and lengths up. A group of 64 threads a row; 4 bytes a number.
/// </summary>
internal static class SearchFacts
{
    /// <summary>Numbers of a row: ‖v‖²(1 − ε), then ‖v‖ and ‖r‖ of a query, α and β of a row of the database.</summary>
    public const int Length = 3;

    public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, int, int>> Kernel =
        new("search.facts", FactsKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, int, int>(FactsKernel));

    /// <param name="vectors">[rows, D]</param>
    /// <param name="ofDatabase">1: rows of the database; 0: queries.</param>
    public static void Run(Device device, ArrayView<float> vectors, ArrayView<float> facts, int rows, int d, int ofDatabase)
        => Kernel.On(device)(new KernelConfig(rows, SimtSum.Threads), vectors, facts, d, ofDatabase);

    public static float Slack(int d) => (d + 16) * (1f / (1 << 23));

    private static void FactsKernel(ArrayView<float> vectors, ArrayView<float> facts, int d, int ofDatabase)
    {
        var shared = SharedMemory.Allocate<float>(SimtSum.Threads);
        int start = Grid.IdxX * d;
        float square = 0, rest = 0;
        for (int i = Group.IdxX; i < d; i += SimtSum.Threads)
        {
            float value = vectors[start + i], difference = value - Bf16Rows.Low(TensorCore.Pack(value, 0));
            square = PtxMath.Fma(value, value, square);
            rest = PtxMath.Fma(difference, difference, rest);
        }
        square = SimtSum.Over(square, shared);
        rest = SimtSum.Over(rest, shared);
        if (Group.IdxX != 0)
            return;
        float slack = Slack(d), length = PtxMath.Sqrt(square) * (1 + slack), error = PtxMath.Sqrt(rest) * (1 + slack);
        int to = Grid.IdxX * Length;
        facts[to] = square * (1 - slack);
        facts[to + 1] = ofDatabase != 0 ? (error + 2 * slack * (length + error)) * (1 + slack) : length;
        facts[to + 2] = ofDatabase != 0 ? (length + error) * (1 + 3 * slack) : error;
    }
}
