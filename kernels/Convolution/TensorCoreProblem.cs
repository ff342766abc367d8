namespace IlgpuNetVlad.Kernels;

/// <summary>A convolution whose x, dy and w are packed as bf16 chunks: x [B·H·W][InChunks], dy [B·P·Q][OutChunks], w [R·S][8·InChunks][OutChunks].</summary>
/// <param name="Slices">Parts into which the pixels are cut for the gradient by weights.</param>
internal readonly record struct TensorCoreProblem(ConvolutionShape S, int Slices)
{
    public int InChunks => Chunk.Of(S.Ic);

    public int OutChunks => Chunk.Of(S.Oc);

    /// <summary>Rows of w of one tap.</summary>
    public int InRows => InChunks * Chunk.Channels;

    public int OutPixels => S.B * S.P * S.Q;

    public int InPixels => S.B * S.H * S.W;

    public int Taps => S.R * S.S;

    public PackingShape PackX => new(S.Ic, InPixels, 1, 1, 0);

    public PackingShape PackGradient => new(S.Oc, OutPixels, 1, 1, S.Relu);

    public PackingShape PackWeights => new(S.Oc, Taps * InRows, InRows, S.Ic, 0);

    /// <summary>Pixels of a slice: whole steps of k.</summary>
    public int SlicePixels => ((OutPixels + Slices - 1) / Slices + TensorTile.Depth - 1) / TensorTile.Depth * TensorTile.Depth;

    /// <summary>
    /// As many slices as bring the blocks to about four for each of 132 multiprocessors, with at least 1024 pixels each. By the shape alone, so that
    /// every chip adds in the same order.
    /// </summary>
    public static TensorCoreProblem Of(ConvolutionShape s)
    {
        var whole = new TensorCoreProblem(s, 1);
        long blocks = (long)((whole.Taps * whole.InRows + TensorTile.Rows - 1) / TensorTile.Rows) * ((s.Oc + TensorTile.Columns - 1) / TensorTile.Columns);
        long slices = Math.Min(528 / blocks, whole.OutPixels / 1024);
        return whole with { Slices = (int)Math.Clamp(slices, 1, 64) };
    }
}
