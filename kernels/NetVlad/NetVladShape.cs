namespace IlgpuNetVlad.Kernels;

/// <summary>Shapes and settings of a NetVLAD layer.</summary>
/// <param name="B">Images.</param>
/// <param name="N">Local descriptors of an image, H·W of its map.</param>
/// <param name="D">Channels.</param>
/// <param name="K">Clusters.</param>
/// <param name="HasBias">1: the logits have a bias (version 2); 0: none (version 1).</param>
/// <param name="SkipData">1: backward leaves out dx, whose buffer is then empty.</param>
/// <param name="SoftFloor">The floor under the three norms; 0: max(‖v‖, 1e-12), 1: √(‖v‖² + 1e-12).</param>
/// <param name="XBf16">1: x, and dx, are rows of bf16 (<see cref="Bf16Rows"/>); 0: fp32.</param>
public readonly record struct NetVladShape(int B, int N, int D, int K, int HasBias = 0, int SoftFloor = 0, int SkipData = 0, int XBf16 = 0)
{
    public int XLength => B * N * D;

    public int YLength => B * K * D;

    /// <summary>What is wrong in one sentence, or null.</summary>
    public string? Wrong()
    {
        if (B < 0 || N < 1 || D < 1 || K < 1)
            return "B must not be negative and N, D, K must be 1 or more";
        return (long)B * N * Math.Max(D, K) > int.MaxValue || XBf16 != 0 && Bf16Rows.Floats((long)B * N, D) > int.MaxValue || (long)B * K * D > int.MaxValue
            ? "a buffer of more than 2³¹ − 1 numbers is not supported: use smaller batches"
            : null;
    }
}
