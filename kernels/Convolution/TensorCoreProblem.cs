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
        => Of<TNumbers>(
            s, rows => TensorTile<TTile, TNumbers>.Blocks(rows, s.Oc), (blocks, most) => (int)Math.Clamp((TensorTile<TTile, TNumbers>.Columns > 128 ? 264 : 528) / blocks, 1, most),
            TensorTile<TTile, TNumbers>.Depth);

    /// <summary>Blocks in waves over 132 multiprocessors, of which none has room for two: <see cref="SlicesInWaves"/>.</summary>
    public static TensorCoreProblem OfWgmma(ConvolutionShape s) => Of<Bf16Numbers>(s, rows => WgmmaTile.Blocks(rows, s.Oc), (blocks, most) => SlicesInWaves(blocks, most, s), WgmmaTile.Depth);

    /// <summary>The same with <see cref="TmaWeightsTile"/>.</summary>
    public static TensorCoreProblem OfTma(ConvolutionShape s) => Of<Bf16Numbers>(s, _ => TmaWeightsTile.Blocks(s), (blocks, most) => SlicesInWaves(blocks, most, s), WgmmaTile.Depth);

    /// <summary>
    /// The slices that are soonest done where a multiprocessor has one block at a time: ⌈blocks·slices / 132⌉ waves, each of as long as ⌈pixels / slices⌉ pixels take, and the sums, of which each is written and
    /// read again. 72 blocks leave 60 of 132 multiprocessors idle, and so do 144; 216 in two waves leave a sixth.
    /// </summary>
    private static int SlicesInWaves(long blocks, int most, in ConvolutionShape s)
    {
        // A block takes 256·128 products a pixel, at 600 TFLOP/s of all blocks 14 ns; in these, 3.35 TB/s bring 8 bytes each of 6000 weights.
        long pixels = (long)s.B * s.P * s.Q, ofSums = s.WLength / 6000, least = long.MaxValue;
        int best = 1;
        for (int slices = 1; slices <= most; slices++)
        {
            long time = (blocks * slices + 131) / 132 * ((pixels + slices - 1) / slices) + slices * ofSums;
            if (time >= least)
                continue;
            least = time;
            best = slices;
        }
        return best;
    }

    /// <summary>As many slices as are wanted, with at least 1024 pixels each. By the shape alone, so that every chip adds in the same order.</summary>
    /// <param name="slicesOf">By the blocks of one slice, and the most slices that there may be.</param>
    /// <param name="depth">Pixels of a step of k.</param>
    private static TensorCoreProblem Of<TNumbers>(in ConvolutionShape s, Func<int, KernelConfig> blocksOf, Func<long, int, int> slicesOf, int depth)
        where TNumbers : struct, ITensorNumbers
    {
        int pixels = s.B * s.P * s.Q, inChunks = PackX<TNumbers>(s).RowChunks, inRows = inChunks * default(TNumbers).PerChunk;
        var blocks = blocksOf(s.R * s.S * inRows).GridDim;
        int slices = slicesOf((long)blocks.X * blocks.Y, Math.Clamp(pixels / 1024, 1, 64));
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
