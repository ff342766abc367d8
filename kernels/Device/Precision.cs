namespace IlgpuNetVlad.Kernels;

/// <summary>To what the inputs of products are rounded; sums are always fp32.</summary>
public enum Precision
{
    /// <summary>Not at all.</summary>
    Fp32,

    /// <summary>11 significant bits, for tensor cores: relative error at most 2⁻¹¹ an input.</summary>
    Tf32,

    /// <summary>8 significant bits, for tensor cores: relative error at most 2⁻⁹ an input.</summary>
    Bf16,
}
