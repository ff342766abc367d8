using ILGPU;

namespace IlgpuNetVlad.Kernels;

/// <summary>How a thread writes two neighbouring sums: as one 8-byte store where the rows have an even number of columns, so that four threads fill a sector of 32 bytes.</summary>
internal static class TensorCorePair
{
    /// <param name="columns">Numbers in a row of <paramref name="to"/>, whose first stands at a multiple of 8 bytes.</param>
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
