using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.Perf.Ladders.ConvolutionForward;

/// <summary>
/// Six pixels of a row and 64 output channels at once keep their sums in registers over all taps and channels (<see cref="Tile6x64"/>). Taps beyond the border read a row of zeros. The
/// tile's 64 columns of w lie Oc numbers apart: each step of k touches lines far from the last ones, in pages far apart when Oc is large.
/// </summary>
internal unsafe class V3RegisterTile : Rung
{
    private readonly float* zeros;

    public V3RegisterTile(ConvolutionShape shape)
        : base(shape)
        => zeros = (float*)NativeMemory.AllocZeroed((nuint)shape.Ic, sizeof(float));

    public override string Idea => "6 pixels × 64 channels of sums in registers";

    public override void Run(float* x, float* y)
    {
        var s = Shape;
        Parallel.For(0, s.H, p =>
        {
            float** pixels = stackalloc float*[9 * Tile6x64.Rows];
            float* sums = stackalloc float[Tile6x64.Rows * Tile6x64.Columns];
            for (int q = 0; q < s.W; q += Tile6x64.Rows)
            {
                for (int tap = 0; tap < 9; tap++)
                    for (int i = 0; i < Tile6x64.Rows; i++)
                    {
                        int h = p + tap / 3 - 1, w = q + i + tap % 3 - 1;
                        pixels[tap * Tile6x64.Rows + i] = (uint)h < (uint)s.H && (uint)w < (uint)s.W ? x + (h * s.W + w) * s.Ic : zeros;
                    }
                for (int o = 0; o < s.Oc; o += Tile6x64.Columns)
                {
                    Multiply(pixels, o, sums);
                    for (int i = 0; i < Math.Min(Tile6x64.Rows, s.W - q); i++)
                        for (int j = 0; j < Tile6x64.Columns; j += 16)
                            Vector512.Max(Vector512.Load(sums + i * Tile6x64.Columns + j) + Vector512.Load(B + o + j), Vector512<float>.Zero)
                                .Store(y + (p * s.W + q + i) * s.Oc + o + j);
                }
            }
        });
    }

    /// <summary>Sums of 64 channels from <paramref name="o"/> on.</summary>
    protected virtual void Multiply(float** pixels, int o, float* sums)
        => Tile6x64.Multiply(pixels, 9, Shape.Ic, W + o, Shape.Oc, sums, Tile6x64.Columns);

    public override void Dispose() => NativeMemory.Free(zeros);
}
