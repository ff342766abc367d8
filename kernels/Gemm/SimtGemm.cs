using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>c = op(a)·op(b) in fp32 by large tiles (<see cref="SimtProduct"/>). Loads run along the rows of the matrices as they lie, 16 bytes a thread where rows begin at multiples of 16 bytes. 2·M·N·K FLOPs.</summary>
internal struct SimtGemm : ISimtProduct
{
    public static readonly SimtKernel<Action<KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, GemmShape, SimtVectors>> Kernel =
        new($"gemm.{SimtLargeTile<WideSimtTile>.Name}", Run, a => a.LoadStreamKernel<ArrayView<float>, ArrayView<float>, ArrayView<float>, GemmShape, SimtVectors>(Run, SimtLargeTile<WideSimtTile>.Bounds), SimtLargeTile<WideSimtTile>.Bounds);

    private ArrayView<float> a, b, c;
    private GemmShape s;
    private SimtVectors vectors;

    /// <summary>First k of the next step.</summary>
    private int next;

    public readonly int Steps => (s.K + SimtLargeTile<WideSimtTile>.Depth - 1) / SimtLargeTile<WideSimtTile>.Depth;

    public readonly bool RowsAcross => s.TransposeA == 1;

    public readonly bool ColumnsAcross => s.TransposeB == 0;

    public readonly bool Pools => false;

    /// <summary>Launches it.</summary>
    public static void Multiply(Device device, in GemmShape s, ArrayView<float> a, ArrayView<float> b, ArrayView<float> c)
    {
        if (s.M == 0)
            return;
        var vectors = new SimtVectors(SimtVectors.Of(a, s.TransposeA != 0 ? s.M : s.K), SimtVectors.Of(b, s.TransposeB != 0 ? s.K : s.N), SimtVectors.Of(c, s.N));
        Kernel.On(device)(SimtLargeTile<WideSimtTile>.Blocks(s.M, s.N), a, b, c, s, vectors);
    }

    private static void Run(ArrayView<float> a, ArrayView<float> b, ArrayView<float> c, GemmShape s, SimtVectors vectors)
        => SimtProduct.Run<SimtGemm, WideSimtTile>(new SimtGemm { a = a, b = b, c = c, s = s, vectors = vectors });

    public readonly SimtFour LoadRows() => Load(a, RowsAcross, Grid.IdxX * SimtLargeTile<WideSimtTile>.Rows, s.M, vectors.A);

    public SimtFour LoadColumns()
    {
        var loaded = Load(b, ColumnsAcross, Grid.IdxY * SimtLargeTile<WideSimtTile>.Columns, s.N, vectors.B);
        next += SimtLargeTile<WideSimtTile>.Depth;
        return loaded;
    }

    public readonly Float4 Rows(SimtFour loaded) => loaded.Values;

    public readonly Float4 Columns(SimtFour loaded) => loaded.Values;

    /// <summary>Of both: in the wide tile they lie alike.</summary>
    private readonly SimtFour Load(ArrayView<float> from, bool across, int firstLine, int lines, int vectors)
    {
        int line = firstLine + SimtLargeTile<WideSimtTile>.RowLine(across), k = next + SimtLargeTile<WideSimtTile>.RowDepth(across);
        int count = across ? (k < s.K ? lines - line : 0) : line < lines ? s.K - k : 0;
        return new() { Values = MaskedAccess.Read(from, across ? k * lines + line : line * s.K + k, count, vectors) };
    }

    public readonly void Store(int row, int column, Float4 sums)
    {
        if (row < s.M)
            MaskedAccess.Write(c, row * s.N + column, s.N - column, vectors.C, sums);
    }
}
