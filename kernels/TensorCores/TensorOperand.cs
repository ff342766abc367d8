using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// fp32 as rows of chunks, which the products copy 16 bytes at a time. tf32 is fp32 itself where the channels fill chunks; else one pass writes them to the workspace: one thread makes a
/// chunk, rounds to bf16, applies ReLU's mask, turns, and fills up with zeros. It moves 6 bytes a number of bf16, 8 of tf32, 4 more with a mask. Maps that are kept in bf16 are chunks as they
/// are; only their gradients go through ReLU's mask (<see cref="Bf16Mask"/>), 6 bytes a number. 8-bit pixels become one chunk each without being fp32 between, 19 bytes a pixel.
/// </summary>
internal static class TensorOperand<TNumbers>
    where TNumbers : struct, ITensorNumbers
{
    private const int Threads = 256;

    public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<Chunk>, PackingShape>> Pack =
        new($"{default(TNumbers).Precision.ToString().ToLowerInvariant()}.pack", PackKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<Chunk>, PackingShape>(PackKernel));

    public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<Chunk>, PixelsShape>> PackPixels =
        new($"{default(TNumbers).Precision.ToString().ToLowerInvariant()}.pack-pixels", PackPixelsKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<Chunk>, PixelsShape>(PackPixelsKernel));

    /// <summary>Floats of workspace that <see cref="Take"/> will use.</summary>
    public static long Floats(in PackingShape s) => IsChunks(s) ? 0 : 4L * s.Chunks;

    /// <summary>The same as what a variant prepares once: a multiple of 16.</summary>
    public static long Prepared(in PackingShape s) => (Floats(s) + 15) / 16 * 16;

    /// <summary>What <see cref="Take"/> gave for a workspace.</summary>
    public static ArrayView<Chunk> Taken(in PackingShape s, ArrayView<float> from, ArrayView<float> workspace) => Chunks(IsChunks(s) ? from : workspace, s.Chunks);

    /// <summary>The chunks of <paramref name="from"/>, or of the beginning of the workspace, which becomes shorter by them.</summary>
    /// <param name="mask">Read only where the shape says so; any view otherwise.</param>
    /// <exception cref="ArgumentException">A view does not begin at a multiple of 16 bytes, as copies of chunks need.</exception>
    public static ArrayView<Chunk> Take(Device device, in PackingShape s, ArrayView<float> from, ArrayView<float> mask, ref ArrayView<float> workspace)
    {
        if (IsChunks(s))
            return Chunks(from, s.Chunks);
        var to = TakeChunks(ref workspace, s.Chunks);
        if (s.Ready != 0)
            Bf16Mask.Run(device, Chunks(from, s.Chunks), Chunks(mask, s.Chunks), to, s.Chunks);
        else
            Pack.On(device)(new KernelConfig((s.Chunks + Threads - 1) / Threads, Threads), from, mask, to, s);
        return to;
    }

    /// <summary>The pixels' numbers, a chunk a pixel, at the beginning of the workspace, which becomes shorter by them.</summary>
    public static ArrayView<Chunk> Take(Device device, in PixelsShape s, ArrayView<float> pixels, ref ArrayView<float> workspace)
    {
        int chunks = s.B * s.H * s.W;
        var to = TakeChunks(ref workspace, chunks);
        PackPixels.On(device)(new KernelConfig((chunks + Threads - 1) / Threads, Threads), pixels, to, s);
        return to;
    }

    private static ArrayView<Chunk> TakeChunks(ref ArrayView<float> workspace, int chunks)
    {
        var taken = Chunks(workspace, chunks);
        // A view may not begin behind the last number, even if it is empty.
        workspace = workspace.Length > 4L * chunks ? workspace.SubView(4L * chunks, workspace.Length - 4L * chunks) : default;
        return taken;
    }

    private static bool IsChunks(in PackingShape s)
        => s.Masked == 0 && (s.Ready != 0 || default(TNumbers).Precision == Precision.Tf32 && s.Channels % default(TNumbers).PerChunk == 0 && s.Turned == 0 && s.Beside == 0);

    private static ArrayView<Chunk> Chunks(ArrayView<float> view, long chunks)
        => view.LoadEffectiveAddressAsPtr() % 16 == 0
            ? ((ArrayView1D<float, Stride1D.Dense>)view.SubView(0, 4 * chunks)).Cast<float, Chunk>().AsContiguous()
            : throw new ArgumentException("What tensor cores multiply, and their workspace, must begin at multiples of 16 bytes.");

    private static void PackKernel(ArrayView<float> from, ArrayView<float> mask, ArrayView<Chunk> to, PackingShape s)
    {
        int index = Grid.IdxX * Threads + Group.IdxX;
        if (index >= s.Chunks)
            return;
        // Neighbouring threads read neighbouring numbers: along the rows, or, where these are turned, across them.
        int row = s.Turned != 0 ? index % s.Rows : index / s.RowChunks, chunk = s.Turned != 0 ? index / s.Rows : index % s.RowChunks;
        int channel = chunk * default(TNumbers).PerChunk, step = s.Turned != 0 ? s.Rows : 1;
        int at = s.Turned != 0 ? channel * s.Rows + row : row * (s.Channels + s.Beside) + channel;
        to[row * s.RowChunks + chunk] = default(TNumbers).Pack(new PackingRow(from, mask, at, step, s.Channels - channel, s.Masked));
    }

    /// <summary>One thread a pixel, whose channels are fewer than a chunk holds.</summary>
    private static void PackPixelsKernel(ArrayView<float> pixels, ArrayView<Chunk> to, PixelsShape s)
    {
        int pixel = Grid.IdxX * Threads + Group.IdxX, size = s.H * s.W;
        if (pixel < s.B * size)
            to[pixel] = default(TNumbers).Pack(new PixelRow(pixels, s.Numbers, pixel / size * PixelNumbers.Bytes(s.H, s.W) + pixel % size * PixelNumbers.Channels, 0));
    }
}
