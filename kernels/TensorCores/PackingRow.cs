using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>Where the numbers of one chunk come from.</summary>
/// <param name="At">Index of the first.</param>
/// <param name="Step">From one to the next.</param>
/// <param name="Used">How many there are; what lies beyond is 0.</param>
/// <param name="Mask">Read where <paramref name="Masked"/> is 1.</param>
internal readonly record struct PackingRow(ArrayView<float> From, ArrayView<float> Mask, int At, int Step, int Used, int Masked)
{
    public float Number(int index)
    {
        if (index >= Used)
            return 0;
        int at = At + index * Step;
        return Masked != 0 && Mask[at] <= 0 ? 0 : From[at];
    }
}
