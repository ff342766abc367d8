using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>How a thread writes two neighbouring sums: as one 8-byte store where rows begin at even places, so that four threads fill a sector of 32 bytes.</summary>
internal static class TensorCorePair
{
    /// <param name="columns">Even where rows of <paramref name="to"/> follow each other at even distances; the first then stands at a multiple of 8 bytes.</param>
    /// <param name="both">Whether there is a second.</param>
    public static void Store(ArrayView<float> to, int index, int columns, bool both, float first, float second)
    {
        if (columns % 2 == 0)
            TensorCore.StorePair(ref to[index], first, second);
        else
        {
            to[index] = first;
            if (both)
                to[index + 1] = second;
        }
    }
}
