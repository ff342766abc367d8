namespace IlgpuNetVlad.Kernels;

/// <summary>A convolution whose x, dy and w are rows of chunks: x [B·H·W][InChunks], dy [B·P·Q][OutChunks], w [R·S·Ic][OutChunks].</summary>
/// <param name="InRows">Input channels with what fills up the last chunk.</param>
/// <param name="Slices">Parts into which the pixels are cut for the gradient by weights…</param>
/// <param name="SlicePixels">…and the pixels of one: whole steps of k.</param>
internal readonly record struct TensorCoreProblem(ConvolutionShape S, int InChunks, int OutChunks, int InRows, int Slices, int SlicePixels)
{
    public int OutPixels => S.B * S.P * S.Q;

    public int InPixels => S.B * S.H * S.W;

    public int Taps => S.R * S.S;

    /// <summary>
    /// As many slices as bring the blocks to about four for each of 132 multiprocessors, with at least 1024 pixels each. By the shape alone, so that
    /// every chip adds in the same order.
    /// </summary>
    public static TensorCoreProblem Of<TTile, TNumbers>(in ConvolutionShape s)
        where TTile : struct, ITensorTile
        where TNumbers : struct, ITensorNumbers
    {
        int pixels = s.B * s.P * s.Q, inChunks = PackX<TNumbers>(s).RowChunks, inRows = inChunks * default(TNumbers).PerChunk;
        var blocks = TensorTile<TTile, TNumbers>.Blocks(s.R * s.S * inRows, s.Oc).GridDim;
        int slices = (int)Math.Clamp(Math.Min(528 / ((long)blocks.X * blocks.Y), pixels / 1024), 1, 64);
        int depth = TensorTile<TTile, TNumbers>.Depth, slicePixels = ((pixels + slices - 1) / slices + depth - 1) / depth * depth;
        return new(s, inChunks, PackWeights<TNumbers>(s).RowChunks, inRows, slices, slicePixels);
    }

    public static PackingShape PackX<TNumbers>(in ConvolutionShape s)
        where TNumbers : struct, ITensorNumbers
        => PackingShape.Of<TNumbers>(s.B * s.H * s.W, s.Ic);

    public static PackingShape PackGradient<TNumbers>(in ConvolutionShape s)
        where TNumbers : struct, ITensorNumbers
        => PackingShape.Of<TNumbers>(s.B * s.P * s.Q, s.Oc, s.Relu);

    public static PackingShape PackWeights<TNumbers>(in ConvolutionShape s)
        where TNumbers : struct, ITensorNumbers
        => PackingShape.Of<TNumbers>(s.R * s.S * s.Ic, s.Oc);
}
