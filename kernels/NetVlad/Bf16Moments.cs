using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>The rows of weights and of x of <see cref="Bf16Moments"/>.</summary>
/// <param name="Rows">Of both, all images.</param>
/// <param name="Columns">Weights of a row.</param>
/// <param name="WeightChunks">Their chunks of tf32.</param>
/// <param name="D">Numbers of a row of x, in bf16.</param>
/// <param name="Slice">Rows that are added up; a sum for each as many.</param>
internal readonly record struct Bf16MomentsShape(int Rows, int Columns, int WeightChunks, int D, int Slice)
{
    public int Chunks => (D + 7) / 8;
}

/// <summary>
/// Σ_i x[i, d]·weight[i, column] of each slice of rows, on tensor cores in tf32 (<see cref="TensorProduct"/>), x a map in bf16 (<see cref="Bf16Rows"/>): the product of
/// <see cref="TensorCoreBackwardWeights{TTile, TNumbers}"/> with one tap, without x in fp32. Rows are the d, k the i; both operands lie across k. A thread reads two chunks of eight numbers of x a step and writes them as
/// four to shared memory, where weights come by cp.async. 2·Rows·D·Columns FLOPs; x moves 2 bytes a number.
/// </summary>
internal struct Bf16Moments : ITensorProduct
{
    public static readonly SimtKernel<Action<KernelConfig, ArrayView<Chunk>, ArrayView<Chunk>, ArrayView<float>, Bf16MomentsShape>> Kernel =
        new($"netvlad.moments.{TensorTile<NarrowTile, Tf32Numbers>.Name}-bf16", Run,
            a => a.LoadStreamKernel<ArrayView<Chunk>, ArrayView<Chunk>, ArrayView<float>, Bf16MomentsShape>(Run, TensorTile<NarrowTile, Tf32Numbers>.Bounds), TensorTile<NarrowTile, Tf32Numbers>.Bounds);

    /// <summary>Chunks of x in the tile's rows.</summary>
    private const int RowEights = TensorTile<NarrowTile, Tf32Numbers>.Rows / 8;

    private ArrayView<Chunk> x, weights;
    private ArrayView<float> result;
    private Bf16MomentsShape p;

    /// <summary>First i of the next step, and the one behind the slice's last.</summary>
    private int next, end;

    public readonly int Steps => (p.Slice + TensorTile<NarrowTile, Tf32Numbers>.Depth - 1) / TensorTile<NarrowTile, Tf32Numbers>.Depth;

    public readonly bool RowsAcross => true;

    public readonly bool ColumnsAcross => true;

    public readonly bool Pools => false;

    /// <summary>Launches it.</summary>
    /// <param name="result">[slices, D, columns]</param>
    public static void Add(Device device, in Bf16MomentsShape p, ArrayView<Chunk> x, ArrayView<Chunk> weights, ArrayView<float> result)
        => Kernel.On(device)(TensorTile<NarrowTile, Tf32Numbers>.Blocks(p.D, p.Columns, p.Rows / p.Slice), x, weights, result, p);

    private static void Run(ArrayView<Chunk> x, ArrayView<Chunk> weights, ArrayView<float> result, Bf16MomentsShape p)
        => TensorProduct.Run<Bf16Moments, NarrowTile, Tf32Numbers>(
            default(NarrowTile).Shared(), new Bf16Moments { x = x, weights = weights, result = result, p = p, next = Grid.IdxZ * p.Slice, end = (Grid.IdxZ + 1) * p.Slice });

    public void Start(ArrayView<Chunk> shared, int stage)
    {
        StartX(shared, stage, Group.IdxX / RowEights);
        StartX(shared, stage, Group.IdxX / RowEights + 8);
        int k = Group.IdxX / TensorTile<NarrowTile, Tf32Numbers>.ColumnChunks;
        StartWeights(shared, stage, k);
        StartWeights(shared, stage, k + 8);
        next += TensorTile<NarrowTile, Tf32Numbers>.Depth;
    }

    private readonly void StartX(ArrayView<Chunk> shared, int stage, int k)
    {
        int eight = Group.IdxX % RowEights, chunk = Grid.IdxX * RowEights + eight;
        var numbers = Bf16Eight.Read(x, (next + k) * p.Chunks + chunk, next + k < end & chunk < p.Chunks);
        // Of eight threads that write at once four begin with the second half: all chunks at even places would meet in half of the banks.
        int half = eight / 4 % 2;
        shared[stage + TensorTile<NarrowTile, Tf32Numbers>.RowAcross(k, 2 * eight + half)] = Bf16Eight.Widened(numbers, half);
        shared[stage + TensorTile<NarrowTile, Tf32Numbers>.RowAcross(k, 2 * eight + (half ^ 1))] = Bf16Eight.Widened(numbers, half ^ 1);
    }

    private readonly void StartWeights(ArrayView<Chunk> shared, int stage, int k)
    {
        int side = Group.IdxX % TensorTile<NarrowTile, Tf32Numbers>.ColumnChunks, chunk = Grid.IdxY * TensorTile<NarrowTile, Tf32Numbers>.ColumnChunks + side;
        bool inside = next + k < end && chunk < p.WeightChunks;
        AsyncCopy.Start(
            ref shared[stage + TensorTile<NarrowTile, Tf32Numbers>.AChunks + TensorTile<NarrowTile, Tf32Numbers>.ColumnAcross(k, side)],
            ref weights[inside ? (next + k) * p.WeightChunks + chunk : 0],
            inside ? 16 : 0);
    }

    public readonly void Store(int row, int column, float first, float second)
    {
        if (row < p.D && column < p.Columns)
            TensorCorePair.Store(result, (Grid.IdxZ * p.D + row) * p.Columns + column, p.Columns, column + 1 < p.Columns, first, second);
    }
}
