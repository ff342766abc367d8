using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>Where the numbers of one chunk come from.</summary>
internal interface IPackingRow
{
    /// <summary>One after the other; 0 beyond the last.</summary>
    float Next();
}

/// <summary>Numbers at equal distances, behind ReLU's mask where that is asked for.</summary>
/// <param name="At">Index of the next.</param>
/// <param name="Step">From one to the next.</param>
/// <param name="Used">How many there are; what lies beyond is 0.</param>
/// <param name="Mask">Read where <paramref name="Masked"/> is 1.</param>
internal record struct PackingRow(ArrayView<float> From, ArrayView<float> Mask, int At, int Step, int Used, int Masked) : IPackingRow
{
    public float Next()
    {
        if (Used <= 0)
            return 0;
        int at = At;
        At += Step;
        Used--;
        return Masked != 0 && Mask[at] <= 0 ? 0 : From[at];
    }
}
