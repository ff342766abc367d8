namespace IlgpuNetVlad.Engine.Torch;

/// <summary>A tensor as a view of a storage; every element was found to lie in it.</summary>
/// <param name="Offset">First element in the storage.</param>
/// <param name="Strides">Elements of the storage from one index to the next, of each size.</param>
internal sealed record TorchTensor(TorchStorage Storage, long Offset, int[] Shape, long[] Strides)
{
    public int Count => Shape.Aggregate(1, (product, n) => product * n);

    /// <summary>Whether its numbers lie in the storage as they are wanted, row by row.</summary>
    public bool IsContiguous
    {
        get
        {
            long step = 1;
            for (int i = Shape.Length - 1; i >= 0; step *= Shape[i--])
                if (Shape[i] != 1 && Strides[i] != step)
                    return false;
            return true;
        }
    }
}
