using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Ladders.ConvolutionForward;

/// <summary>What the rungs by Winograd's method share: transformed weights, and a tile's way in and out. A tile of 4×4 outputs takes 36 products a channel pair instead of 144.</summary>
internal abstract unsafe class WinogradRung : Rung
{
    private readonly float* zeros, panels;
    private readonly WinogradTile tile;

    protected WinogradRung(ConvolutionShape shape, WinogradTile tile)
        : base(shape)
    {
        this.tile = tile;
        zeros = (float*)NativeMemory.AllocZeroed((nuint)shape.Ic, sizeof(float));
        panels = (float*)NativeMemory.AlignedAlloc((nuint)WinogradTile.Points * (nuint)shape.Ic * (nuint)shape.Oc * sizeof(float), 64);
    }

    protected int TileColumns => (Shape.W + 3) / 4;

    protected int Tiles => (Shape.H + 3) / 4 * TileColumns;

    /// <summary>G g Gᵀ as panels [36][Oc/64][Ic][64].</summary>
    public override void Prepare(float* w, float* b)
    {
        base.Prepare(w, b);
        int ic = Shape.Ic, oc = Shape.Oc;
        Parallel.For(0, ic, c =>
        {
            Span<double> filter = stackalloc double[9], points = stackalloc double[WinogradTile.Points];
            for (int o = 0; o < oc; o++)
            {
                for (int tap = 0; tap < 9; tap++)
                    filter[tap] = w[(tap * ic + c) * oc + o];
                tile.Weights(filter, points);
                for (int q = 0; q < WinogradTile.Points; q++)
                    Panel(q, o)[c * Tile6x64.Columns + o % Tile6x64.Columns] = (float)points[q];
            }
        });
    }

    /// <summary>Transformed weights of a point, of the 64 channels that <paramref name="o"/> is among.</summary>
    protected float* Panel(int point, int o) => panels + ((long)point * Shape.Oc + o / Tile6x64.Columns * Tile6x64.Columns) * Shape.Ic;

    /// <summary>Bᵀ d B of one tile, all its channels: point q at q·<paramref name="step"/>.</summary>
    protected void Read(float* x, int number, float* to, nint step)
    {
        float** pixels = stackalloc float*[WinogradTile.Points];
        int row = number / TileColumns * 4 - 1, column = number % TileColumns * 4 - 1;
        for (int i = 0; i < WinogradTile.Points; i++)
        {
            int h = row + i / 6, w = column + i % 6;
            pixels[i] = (uint)h < (uint)Shape.H && (uint)w < (uint)Shape.W ? x + (h * Shape.W + w) * Shape.Ic : zeros;
        }
        for (int c = 0; c < Shape.Ic; c += 16)
            tile.Input(pixels, c, to + c, step);
    }

    /// <summary>Aᵀ m A of one tile, of <paramref name="count"/> channels from <paramref name="o"/> on, with bias and ReLU.</summary>
    protected void Write(float* from, nint step, int number, int o, int count, float* y)
    {
        var pixels = stackalloc Vector512<float>[16];
        int row = number / TileColumns * 4, column = number % TileColumns * 4;
        for (int c = 0; c < count; c += 16)
        {
            tile.Output(from + c, step, pixels);
            var bias = Vector512.Load(B + o + c);
            for (int i = 0; i < 16; i++)
                if (row + i / 4 < Shape.H && column + i % 4 < Shape.W)
                    Vector512.Max(pixels[i] + bias, Vector512<float>.Zero).Store(y + ((row + i / 4) * Shape.W + column + i % 4) * Shape.Oc + o + c);
        }
    }

    public override void Dispose()
    {
        NativeMemory.Free(zeros);
        NativeMemory.AlignedFree(panels);
    }
}
