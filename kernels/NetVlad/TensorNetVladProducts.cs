using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// NetVLAD's products on tensor cores in tf32 (for --precision bf16 too: they are few, and tf32 takes x as it is). Dots are matrix products; moments are the gradient by weights of a
/// convolution of one tap, with slices that end where images do. Assignments and their gradients, and dV, go in as parts (<see cref="Tf32Parts"/>, <see cref="NetVladSpread"/>). A map in bf16 is read as it is
/// (<see cref="Bf16Dots"/>, <see cref="Bf16Moments"/>): tf32 holds its numbers.
/// </summary>
internal readonly struct TensorNetVladProducts : INetVladProducts
{
    public static IReadOnlyList<SimtKernel> ForwardKernels =>
    [
        TensorCoreBackwardWeights<NarrowTile, Tf32Numbers>.Kernel, TensorCoreGemm<NarrowTile, Tf32Numbers>.Kernel, Tf32Parts.Kernel, TensorOperand<Tf32Numbers>.Pack, Bf16Dots.Kernel, Bf16Moments.Kernel,
    ];

    public static IReadOnlyList<SimtKernel> BackwardKernels => [.. ForwardKernels, NetVladSpread.Rows, NetVladSpread.Columns];

    /// <summary>Why tensor cores do not compute a layer, or null.</summary>
    public static string? Refuses(NetVladShape s)
        => Math.Max((long)s.B * Math.Max(s.N, s.D) * NetVladSpread.Length * s.K, MomentsOf(s).Length(s)) > int.MaxValue ? "takes smaller batches, whose parts have at most 2³¹ − 1 numbers" : null;

    public static int DotParts => Tf32Parts.Count;

    public static long Scratch(in NetVladShape s, bool backward)
    {
        long dots = TensorOperand<Tf32Numbers>.Floats(PackMatrix(s, s.K));
        long moments = Room(Tf32Parts.Count * (long)s.B * s.N * s.K) + TensorOperand<Tf32Numbers>.Floats(PackWeights(s));
        long forward = XFloats(s) + Math.Max(dots, moments);
        if (!backward)
            return forward;
        long imageDots = XFloats(s) + Room(Tf32Parts.Count * (long)s.YLength) + TensorOperand<Tf32Numbers>.Floats(PackMatrix(s, Tf32Parts.Count * s.B * s.K));
        PackingShape rows = PackSpread(s, s.N), columns = PackSpread(s, s.D);
        long spread = s.SkipData != 0 ? 0 : NetVladSpread.Floats(s, s.N) + NetVladSpread.Floats(s, s.D) + TensorOperand<Tf32Numbers>.Floats(rows) + TensorOperand<Tf32Numbers>.Floats(columns);
        return Math.Max(forward, Math.Max(imageDots, spread));
    }

    public static NetVladMoments MomentsOf(in NetVladShape s)
    {
        int columns = Tf32Parts.Count * s.K;
        return new(Slices(s), Tf32Parts.Count, s.D * columns, s.K, columns, 1);
    }

    public static void Dots(Device device, in NetVladShape s, ArrayView<float> x, ArrayView<float> m, ArrayView<float> result, ArrayView<float> scratch)
    {
        var rows = TakeX(device, s, x, ref scratch);
        var columns = TensorOperand<Tf32Numbers>.Take(device, PackMatrix(s, s.K), m, m, ref scratch);
        MultiplyX(device, s, s.B * s.N, s.K, 1, rows, columns, result);
    }

    public static void ImageDots(Device device, in NetVladShape s, ArrayView<float> x, ArrayView<float> m, ArrayView<float> result, ArrayView<float> scratch)
    {
        var parts = Take(ref scratch, Tf32Parts.Count * (long)s.YLength);
        Tf32Parts.Run(device, m, parts, s.B, s.K * s.D);
        var rows = TakeX(device, s, x, ref scratch);
        var columns = TensorOperand<Tf32Numbers>.Take(device, PackMatrix(s, Tf32Parts.Count * s.B * s.K), parts, parts, ref scratch);
        MultiplyX(device, s, s.N, Tf32Parts.Count * s.K, s.B, rows, columns, result);
    }

    public static void Spread(
        Device device, in NetVladShape s, ArrayView<float> a, ArrayView<float> residual, ArrayView<float> ds, ArrayView<float> w, ArrayView<float> result, ArrayView<float> scratch)
    {
        var left = Take(ref scratch, NetVladSpread.Floats(s, s.N));
        var right = Take(ref scratch, NetVladSpread.Floats(s, s.D));
        NetVladSpread.Run(device, s, a, residual, ds, w, left, right);
        var rows = TensorOperand<Tf32Numbers>.Take(device, PackSpread(s, s.N), left, left, ref scratch);
        var columns = TensorOperand<Tf32Numbers>.Take(device, PackSpread(s, s.D), right, right, ref scratch);
        Multiply(device, s.N, s.D, PackSpread(s, s.N).RowChunks, s.B, rows, columns, result);
    }

    public static void Moments(Device device, in NetVladShape s, ArrayView<float> x, ArrayView<float> inverse, ArrayView<float> weights, ArrayView<float> result, ArrayView<float> scratch)
    {
        int columns = Tf32Parts.Count * s.K, slices = Slices(s);
        var parts = Take(ref scratch, (long)s.B * s.N * columns);
        Tf32Parts.RunScaled(device, weights, inverse, parts, s.B * s.N, s.K);
        var pixels = TakeX(device, s, x, ref scratch);
        var gradient = TensorOperand<Tf32Numbers>.Take(device, PackWeights(s), parts, parts, ref scratch);
        if (s.XBf16 != 0)
        {
            Bf16Moments.Add(device, new(s.B * s.N, columns, PackWeights(s).RowChunks, s.D, s.N / slices), pixels, gradient, result);
            return;
        }
        var p = TensorCoreProblem.Of<NarrowTile, Tf32Numbers>(new ConvolutionShape(s.B, 1, s.N, s.D, columns, 1, 1)) with { Slices = s.B * slices, SlicePixels = s.N / slices };
        TensorCoreBackwardWeights<NarrowTile, Tf32Numbers>.Kernel.On(device)(TensorTile<NarrowTile, Tf32Numbers>.Blocks(p.InRows, columns, p.Slices), pixels, gradient, result, p);
    }

    /// <summary>x as chunks: of tf32, or of bf16 where it is kept so.</summary>
    private static ArrayView<Chunk> TakeX(Device device, in NetVladShape s, ArrayView<float> x, ref ArrayView<float> scratch)
        => s.XBf16 != 0 ? TensorOperand<Bf16Numbers>.Taken(PackingShape.Of<Bf16Numbers>(s.B * s.N, s.D, ready: 1), x, x) : TensorOperand<Tf32Numbers>.Take(device, PackX(s), x, x, ref scratch);

    private static long XFloats(in NetVladShape s) => s.XBf16 != 0 ? 0 : TensorOperand<Tf32Numbers>.Floats(PackX(s));

    private static void MultiplyX(Device device, in NetVladShape s, int rows, int columns, int images, ArrayView<Chunk> x, ArrayView<Chunk> m, ArrayView<float> result)
    {
        if (s.XBf16 != 0)
            Bf16Dots.Multiply(device, rows, columns, PackX(s).RowChunks, images, x, m, result);
        else
            Multiply(device, rows, columns, PackX(s).RowChunks, images, x, m, result);
    }

    private static void Multiply(Device device, int rows, int columns, int chunks, int images, ArrayView<Chunk> a, ArrayView<Chunk> b, ArrayView<float> c)
        => TensorCoreGemm<NarrowTile, Tf32Numbers>.Kernel.On(device)(TensorTile<NarrowTile, Tf32Numbers>.Blocks(rows, columns, images), a, b, c, new TensorGemm(rows, columns, chunks, 1, chunks));

    /// <summary>Parts of an image's descriptors, all of one length of at least 256: few images have few tiles. By the number of descriptors alone, so that an image's bits are the same in any batch.</summary>
    private static int Slices(in NetVladShape s)
    {
        int slices = Math.Clamp(s.N / 256, 1, 8);
        while (s.N % slices != 0)
            slices--;
        return slices;
    }

    private static PackingShape PackX(in NetVladShape s) => PackingShape.Of<Tf32Numbers>(s.B * s.N, s.D);

    private static PackingShape PackMatrix(in NetVladShape s, int rows) => PackingShape.Of<Tf32Numbers>(rows, s.D);

    private static PackingShape PackWeights(in NetVladShape s) => PackingShape.Of<Tf32Numbers>(s.B * s.N, Tf32Parts.Count * s.K);

    private static PackingShape PackSpread(in NetVladShape s, int rowsOfAnImage) => PackingShape.Of<Tf32Numbers>(s.B * rowsOfAnImage, NetVladSpread.Length * s.K);

    /// <summary>Pieces begin at multiples of 16 bytes.</summary>
    private static long Room(long length) => (length + 3) / 4 * 4;

    private static ArrayView<float> Take(ref ArrayView<float> scratch, long length)
    {
        var taken = scratch.SubView(0, length);
        scratch = scratch.Length > Room(length) ? scratch.SubView(Room(length), scratch.Length - Room(length)) : default;
        return taken;
    }
}
