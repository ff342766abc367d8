using System.Runtime.InteropServices;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Ladders.ConvolutionForward;

/// <summary>
/// The same with w copied beforehand into panels [Oc/64][9·Ic][64]: what a tile reads next lies next, and the processor fetches it ahead by itself. Near the multiply-adds' peak; whoever
/// wants more has to multiply less.
/// </summary>
internal sealed unsafe class V4PackedPanels(ConvolutionShape shape) : V3RegisterTile(shape)
{
    private readonly float* panels = (float*)NativeMemory.AlignedAlloc((nuint)shape.WLength * sizeof(float), 64);

    public override string Idea => "weights packed in the order of reading";

    public override void Prepare(float* w, float* b)
    {
        base.Prepare(w, b);
        int oc = Shape.Oc, depth = 9 * Shape.Ic;
        for (int o = 0; o < oc; o++)
            for (int k = 0; k < depth; k++)
                panels[(o / Tile6x64.Columns * depth + k) * Tile6x64.Columns + o % Tile6x64.Columns] = w[k * oc + o];
    }

    protected override void Multiply(float** pixels, int o, float* sums)
        => Tile6x64.Multiply(pixels, 9, Shape.Ic, panels + o * 9 * Shape.Ic, Tile6x64.Columns, sums, Tile6x64.Columns);

    public override void Dispose()
    {
        NativeMemory.AlignedFree(panels);
        base.Dispose();
    }
}
