using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// c = op(a)·op(b) on tensor cores (<see cref="TensorProduct"/>). Both operands lie by k, so one kernel does all four cases: what lies otherwise is turned when it is packed, which bf16
/// has to be anyway. Grid z counts products of as many matrices, one behind the other, and in each the slices of k: long sums of few tiles are cut, each slice with sums of its
/// own, which <see cref="PartialSums"/> adds in order. 2·M·N·K FLOPs.
/// </summary>
internal struct TensorCoreGemm<TTile, TNumbers> : ITensorProduct
    where TTile : struct, ITensorTile
    where TNumbers : struct, ITensorNumbers
{
    public static readonly SimtKernel<Action<KernelConfig, ArrayView<Chunk>, ArrayView<Chunk>, ArrayView<float>, TensorGemm>> Kernel =
        new($"gemm.{TensorTile<TTile, TNumbers>.Name}", Run, a => a.LoadStreamKernel<ArrayView<Chunk>, ArrayView<Chunk>, ArrayView<float>, TensorGemm>(Run, TensorTile<TTile, TNumbers>.Bounds), TensorTile<TTile, TNumbers>.Bounds);

    private ArrayView<Chunk> a, b;
    private ArrayView<float> c;
    private TensorGemm p;

    /// <summary>This thread's chunk of a row in the next step, and the one behind the slice's last.</summary>
    private int next, end;

    /// <summary>Which of as many products.</summary>
    private int product;

    public readonly int Steps => (end - next + TensorTile<TTile, TNumbers>.DepthChunks - 1 + Group.IdxX % 4) / TensorTile<TTile, TNumbers>.DepthChunks;

    public readonly bool RowsAcross => false;

    public readonly bool ColumnsAcross => false;

    public readonly bool Pools => false;

    private static void Run(ArrayView<Chunk> a, ArrayView<Chunk> b, ArrayView<float> c, TensorGemm p)
    {
        var shared = default(TTile).Shared();
        TensorProduct.Run<TensorCoreGemm<TTile, TNumbers>, TTile, TNumbers>(shared, Of(a, b, c, p));
    }

    /// <summary>This block's product, for this thread.</summary>
    public static TensorCoreGemm<TTile, TNumbers> Of(ArrayView<Chunk> a, ArrayView<Chunk> b, ArrayView<float> c, in TensorGemm p)
    {
        int product = Grid.IdxZ / p.Slices, first = (Grid.IdxZ - product * p.Slices) * p.SliceChunks;
        return new()
        {
            a = a,
            b = b,
            c = c,
            p = p,
            product = product,
            next = first + Group.IdxX % 4,
            end = first + p.SliceChunks < p.RowChunks ? first + p.SliceChunks : p.RowChunks,
        };
    }

    public void Start(ArrayView<Chunk> shared, int stage)
    {
        int row = Group.IdxX / 4;
        StartA(shared, stage, row);
        StartA(shared, stage, row + TensorTile<TTile, TNumbers>.Threads / 4);
        if (TensorTile<TTile, TNumbers>.Threads < 256)
        {
            StartA(shared, stage, row + 64);
            StartA(shared, stage, row + 96);
        }
        StartB(shared, stage, row);
        StartB(shared, stage, row + TensorTile<TTile, TNumbers>.Threads / 4);
        next += TensorTile<TTile, TNumbers>.DepthChunks;
    }

    private readonly void StartA(ArrayView<Chunk> shared, int stage, int row)
        => StartChunk(shared, stage, row, a, Grid.IdxX * TensorTile<TTile, TNumbers>.Rows + row, p.M);

    private readonly void StartB(ArrayView<Chunk> shared, int stage, int row)
        => StartChunk(shared, stage + TensorTile<TTile, TNumbers>.AChunks, row, b, Grid.IdxY * TensorTile<TTile, TNumbers>.Columns + row, p.N);

    private readonly void StartChunk(ArrayView<Chunk> shared, int tile, int row, ArrayView<Chunk> from, int line, int lines)
    {
        bool inside = line < lines && next < end;
        AsyncCopy.Start(ref shared[tile + TensorTile<TTile, TNumbers>.ByDepth(row, Group.IdxX % 4)], ref from[inside ? (product * lines + line) * p.RowChunks + next : 0], inside ? 16 : 0);
    }

    public readonly void Store(int row, int column, float first, float second)
    {
        if (row < p.M && column < p.N)
            TensorCorePair.Store(c, (Grid.IdxZ * p.M + row) * p.N + column, p.N, column + 1 < p.N, first, second);
    }
}
