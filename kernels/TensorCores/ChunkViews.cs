using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>Pieces of a workspace of floats as chunks of bf16.</summary>
internal static class ChunkViews
{
    /// <summary>The next so many chunks of a workspace, which becomes shorter by them.</summary>
    /// <exception cref="ArgumentException">The workspace does not begin at a multiple of 16 bytes, as copies of chunks need.</exception>
    public static ArrayView<Chunk> TakeChunks(ref ArrayView<float> workspace, long chunks)
    {
        if (workspace.LoadEffectiveAddressAsPtr() % 16 != 0)
            throw new ArgumentException("The workspace of a kernel for tensor cores must begin at a multiple of 16 bytes.");
        long floats = Bf16Packing.Floats(chunks);
        var taken = ((ArrayView1D<float, Stride1D.Dense>)workspace.SubView(0, floats)).Cast<float, Chunk>().AsContiguous();
        // A view may not begin behind the last number, even if it is empty.
        workspace = workspace.Length > floats ? workspace.SubView(floats, workspace.Length - floats) : default;
        return taken;
    }
}
