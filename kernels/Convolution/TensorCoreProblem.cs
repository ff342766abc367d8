using ILGPU;

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

    /// <summary>About four blocks for each of 132 multiprocessors, or two of large tiles.</summary>
    public static TensorCoreProblem Of<TTile, TNumbers>(ConvolutionShape s)
        where TTile : struct, ITensorTile
        where TNumbers : struct, ITensorNumbers
        => Of<TNumbers>(s, rows => TensorTile<TTile, TNumbers>.Blocks(rows, s.Oc), TensorTile<TTile, TNumbers>.Columns > 128 ? 264 : 528, TensorTile<TTile, TNumbers>.Depth);

    /// <summary>One block for each of 132 multiprocessors, which has no room for two.</summary>
    public static TensorCoreProblem OfWgmma(ConvolutionShape s) => Of<Bf16Numbers>(s, rows => WgmmaTile.Blocks(rows, s.Oc), 132, WgmmaTile.Depth);

    /// <summary>The same with <see cref="TmaWeightsTile"/>.</summary>
    public static TensorCoreProblem OfTma(ConvolutionShape s) => Of<Bf16Numbers>(s, _ => TmaWeightsTile.Blocks(s), 132, WgmmaTile.Depth);

    /// <summary>
    /// As many slices as bring the blocks to the number that is wanted, with at least 1024 pixels each. By the shape alone, so that every chip adds in the same order.
    /// </summary>
    /// <param name="depth">Pixels of a step of k.</param>
    private static TensorCoreProblem Of<TNumbers>(in ConvolutionShape s, Func<int, KernelConfig> blocksOf, int wanted, int depth)
        where TNumbers : struct, ITensorNumbers
    {
        int pixels = s.B * s.P * s.Q, inChunks = PackX<TNumbers>(s).RowChunks, inRows = inChunks * default(TNumbers).PerChunk;
        var blocks = blocksOf(s.R * s.S * inRows).GridDim;
        int slices = (int)Math.Clamp(Math.Min(wanted / ((long)blocks.X * blocks.Y), pixels / 1024), 1, 64);
        int slicePixels = ((pixels + slices - 1) / slices + depth - 1) / depth * depth;
        return new(s, inChunks, PackWeights<TNumbers>(s).RowChunks, inRows, slices, slicePixels);
    }

    public static PackingShape PackX<TNumbers>(in ConvolutionShape s)
        where TNumbers : struct, ITensorNumbers
        => PackingShape.Of<TNumbers>(s.B * s.H * s.W, s.Ic, ready: s.XBf16);

    public static PackingShape PackGradient<TNumbers>(in ConvolutionShape s)
        where TNumbers : struct, ITensorNumbers
        => PackingShape.Of<TNumbers>(s.B * s.P * s.Q, s.Oc, s.Relu, beside: s.Beside, ready: s.YBf16);

    public static PackingShape PackWeights<TNumbers>(in ConvolutionShape s)
        where TNumbers : struct, ITensorNumbers
        => PackingShape.Of<TNumbers>(s.R * s.S * s.Ic, s.Oc);
}
