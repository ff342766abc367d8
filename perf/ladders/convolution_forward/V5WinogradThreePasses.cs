using System.Runtime.InteropServices;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Ladders.ConvolutionForward;

/// <summary>
/// Winograd's method as books have it: transform all tiles to V [36][tiles][Ic], multiply at each of the 36 points to M [36][tiles][Oc], transform all of M back; points 0, ±1, ±2, ∞. A
/// quarter of the products, but V and M are 2.25 times as large as x and y, go out to memory and come back.
/// </summary>
internal sealed unsafe class V5WinogradThreePasses : WinogradRung
{
    private readonly float* v, m;
    private readonly int padded;

    public V5WinogradThreePasses(ConvolutionShape shape)
        : base(shape, new(1, 2))
    {
        padded = (Tiles + Tile6x64.Rows - 1) / Tile6x64.Rows * Tile6x64.Rows;
        v = (float*)NativeMemory.AllocZeroed((nuint)WinogradTile.Points * (nuint)padded * (nuint)shape.Ic, sizeof(float));
        m = (float*)NativeMemory.AllocZeroed((nuint)WinogradTile.Points * (nuint)padded * (nuint)shape.Oc, sizeof(float));
    }

    public override string Idea => "Winograd F(4×4) in three passes over the whole map";

    public override void Run(float* x, float* y)
    {
        nint inStep = (nint)padded * Shape.Ic, outStep = (nint)padded * Shape.Oc;
        Parallel.For(0, Tiles, t => Read(x, t, v + (nint)t * Shape.Ic, inStep));
        Parallel.For(0, WinogradTile.Points, q =>
        {
            float** rows = stackalloc float*[Tile6x64.Rows];
            for (int o = 0; o < Shape.Oc; o += Tile6x64.Columns)
                for (int t = 0; t < padded; t += Tile6x64.Rows)
                {
                    for (int i = 0; i < Tile6x64.Rows; i++)
                        rows[i] = v + q * inStep + (nint)(t + i) * Shape.Ic;
                    Tile6x64.Multiply(rows, 1, Shape.Ic, Panel(q, o), Tile6x64.Columns, m + q * outStep + (nint)t * Shape.Oc + o, Shape.Oc);
                }
        });
        Parallel.For(0, Tiles, t => Write(m + (nint)t * Shape.Oc, outStep, t, 0, Shape.Oc, y));
    }

    public override void Dispose()
    {
        NativeMemory.Free(v);
        NativeMemory.Free(m);
        base.Dispose();
    }
}
