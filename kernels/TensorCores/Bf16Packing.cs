using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>Rows of fp32 and the rows of chunks that they become.</summary>
/// <param name="Channels">Numbers in a row of fp32.</param>
/// <param name="Rows">Rows of chunks.</param>
/// <param name="GroupRows">Of so many rows of chunks…</param>
/// <param name="GroupUsed">…the first so many are rows of fp32, and the others zero.</param>
/// <param name="Masked">1: a number is 0 where the mask is at most 0.</param>
public readonly record struct PackingShape(int Channels, int Rows, int GroupRows, int GroupUsed, int Masked)
{
    public int RowChunks => Chunk.Of(Channels);

    public int Chunks => Rows * RowChunks;
}

/// <summary>
/// Rows of fp32 to rows of bf16, each filled up with zeros to whole chunks, so that the products read 16 bytes at a time, whatever the number of channels; ReLU's mask is
/// applied on the way. One thread makes a chunk of eight; 6 bytes a number move, 10 with a mask.
/// </summary>
internal static class Bf16Packing
{
    private const int Threads = 256;

    public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<Chunk>, PackingShape>> Kernel =
        new("bf16.pack", PackKernel, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<Chunk>, PackingShape>(PackKernel));

    /// <param name="mask">Read only where the shape says so; any view otherwise.</param>
    public static void Run(Device device, in PackingShape s, ArrayView<float> from, ArrayView<float> mask, ArrayView<Chunk> to)
        => Kernel.On(device)(new KernelConfig((s.Chunks + Threads - 1) / Threads, Threads), from, mask, to, s);

    /// <summary>Floats of workspace that so many chunks take.</summary>
    public static long Floats(long chunks) => chunks * 4;

    private static void PackKernel(ArrayView<float> from, ArrayView<float> mask, ArrayView<Chunk> to, PackingShape s)
    {
        int index = Grid.IdxX * Threads + Group.IdxX;
        if (index >= s.Chunks)
            return;
        int row = index / s.RowChunks, channel = index % s.RowChunks * Chunk.Channels, within = row % s.GroupRows;
        int used = within < s.GroupUsed ? s.Channels - channel : 0;
        int at = (row / s.GroupRows * s.GroupUsed + within) * s.Channels + channel;
        to[index] = new Chunk
        {
            X = TensorCore.Pack(Number(from, mask, s, at, used), Number(from, mask, s, at + 1, used - 1)),
            Y = TensorCore.Pack(Number(from, mask, s, at + 2, used - 2), Number(from, mask, s, at + 3, used - 3)),
            Z = TensorCore.Pack(Number(from, mask, s, at + 4, used - 4), Number(from, mask, s, at + 5, used - 5)),
            W = TensorCore.Pack(Number(from, mask, s, at + 6, used - 6), Number(from, mask, s, at + 7, used - 7)),
        };
    }

    private static float Number(ArrayView<float> from, ArrayView<float> mask, PackingShape s, int at, int used)
    {
        if (used <= 0)
            return 0;
        if (s.Masked != 0 && mask[at] <= 0)
            return 0;
        return from[at];
    }
}
