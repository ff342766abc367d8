namespace IlgpuNetVlad.Kernels;

/// <summary>A matrix product whose op(a) and op(b)ᵀ are rows of chunks along k: [M][RowChunks] and [N][RowChunks].</summary>
/// <param name="Slices">Parts into which k is cut…</param>
/// <param name="SliceChunks">…and the chunks of one: whole steps.</param>
internal readonly record struct TensorGemm(int M, int N, int RowChunks, int Slices, int SliceChunks)
{
    /// <summary>
    /// As many slices as bring the blocks of one row of tiles to two for each of 132 multiprocessors, with at least 32 steps of k each: a projection of a few long descriptors has few
    /// tiles and long sums. By N and K alone, so that a row's sums are the same on every chip and in any batch.
    /// </summary>
    public static TensorGemm Of<TTile, TNumbers>(in GemmShape s)
        where TTile : struct, ITensorTile
        where TNumbers : struct, ITensorNumbers
    {
        const int depth = TensorTile<TTile, TNumbers>.DepthChunks;
        int chunks = PackA<TNumbers>(s).RowChunks, steps = (chunks + depth - 1) / depth;
        int slices = Math.Clamp(Math.Min(264 / TensorTile<TTile, TNumbers>.Blocks(1, s.N).GridDim.Y, steps / 32), 1, 32);
        return new(s.M, s.N, chunks, slices, (steps + slices - 1) / slices * depth);
    }

    public static PackingShape PackA<TNumbers>(in GemmShape s)
        where TNumbers : struct, ITensorNumbers
        => PackingShape.Of<TNumbers>(s.M, s.K, turned: s.TransposeA);

    public static PackingShape PackB<TNumbers>(in GemmShape s)
        where TNumbers : struct, ITensorNumbers
        => PackingShape.Of<TNumbers>(s.N, s.K, turned: 1 - s.TransposeB);
}
