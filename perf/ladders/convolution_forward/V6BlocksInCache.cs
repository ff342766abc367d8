using System.Runtime.InteropServices;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Ladders.ConvolutionForward;

/// <summary>
/// All three steps for one block of tiles after the other, 64 output channels at a time: V and M of a block stay in the second-level cache of the core that works on it. Every block
/// reads all transformed weights, so with many channels larger blocks pay.
/// </summary>
internal unsafe class V6BlocksInCache : WinogradRung
{
    private readonly int block;

    /// <summary>V and M of each thread.</summary>
    private readonly ThreadLocal<nint> scratch;

    public V6BlocksInCache(ConvolutionShape shape)
        : this(shape, new(1, 2))
    {
    }

    protected V6BlocksInCache(ConvolutionShape shape, WinogradTile tile)
        : base(shape, tile)
    {
        block = shape.Ic <= 256 ? 24 : 48;
        scratch = new(() => (nint)NativeMemory.AllocZeroed((nuint)(WinogradTile.Points * (InStep + OutStep)), sizeof(float)), trackAllValues: true);
    }

    /// <summary>From one point to the next: 16 numbers more than it takes, else all points would lie in the same few lines of the first-level cache.</summary>
    private nint InStep => (nint)block * Shape.Ic + 16;

    private nint OutStep => (nint)block * Tile6x64.Columns + 16;

    public override string Idea => "the same block by block, between transforms nothing leaves the L2 cache";

    public override void Run(float* x, float* y) => Parallel.For(0, (Tiles + block - 1) / block, number =>
    {
        float* v = (float*)scratch.Value, m = v + WinogradTile.Points * InStep;
        float** rows = stackalloc float*[Tile6x64.Rows];
        int first = number * block, count = Math.Min(block, Tiles - first);
        for (int t = 0; t < count; t++)
            Read(x, first + t, v + (nint)t * Shape.Ic, InStep);
        for (int o = 0; o < Shape.Oc; o += Tile6x64.Columns)
        {
            for (int q = 0; q < WinogradTile.Points; q++)
                for (int t = 0; t < count; t += Tile6x64.Rows)
                {
                    for (int i = 0; i < Tile6x64.Rows; i++)
                        rows[i] = v + q * InStep + (nint)(t + i) * Shape.Ic;
                    Tile6x64.Multiply(rows, 1, Shape.Ic, Panel(q, o), Tile6x64.Columns, m + q * OutStep + t * Tile6x64.Columns, Tile6x64.Columns);
                }
            for (int t = 0; t < count; t++)
                Write(m + t * Tile6x64.Columns, OutStep, first + t, o, Tile6x64.Columns, y);
        }
    });

    public override void Dispose()
    {
        foreach (nint memory in scratch.Values)
            NativeMemory.Free((void*)memory);
        scratch.Dispose();
        base.Dispose();
    }
}
