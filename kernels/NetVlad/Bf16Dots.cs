using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// c = x·bᵀ on tensor cores in tf32 (<see cref="TensorProduct"/>), x a map in bf16 (<see cref="Bf16Rows"/>): the product of <see cref="TensorCoreGemm{TTile, TNumbers}"/> without x in fp32. Both operands lie by k. A thread
/// reads two chunks of eight numbers of x a step and writes them as four to shared memory, where b's come by cp.async. 2·M·N·D FLOPs; x moves 2 bytes a number.
/// </summary>
internal struct Bf16Dots : ITensorProduct
{
    public static readonly SimtKernel<Action<KernelConfig, ArrayView<Chunk>, ArrayView<Chunk>, ArrayView<float>, TensorGemm>> Kernel =
        new($"netvlad.dots.{TensorTile<NarrowTile, Tf32Numbers>.Name}-bf16", Run,
            a => a.LoadStreamKernel<ArrayView<Chunk>, ArrayView<Chunk>, ArrayView<float>, TensorGemm>(Run, TensorTile<NarrowTile, Tf32Numbers>.Bounds), TensorTile<NarrowTile, Tf32Numbers>.Bounds);

    private ArrayView<Chunk> x, b;
    private ArrayView<float> c;
    private TensorGemm p;

    /// <summary>First chunk of b's rows in the next step; of x's half as many.</summary>
    private int next;

    public readonly int Steps => (p.RowChunks + 3) / 4;

    public readonly bool RowsAcross => false;

    public readonly bool ColumnsAcross => false;

    public readonly bool Pools => false;

    /// <summary>Launches it.</summary>
    /// <param name="images">As many products, each with rows of x and of b of its own; 1 for one with all of them.</param>
    public static void Multiply(Device device, int rows, int columns, int chunks, int images, ArrayView<Chunk> x, ArrayView<Chunk> b, ArrayView<float> c)
        => Kernel.On(device)(TensorTile<NarrowTile, Tf32Numbers>.Blocks(rows, columns, images), x, b, c, new TensorGemm(rows, columns, chunks, 1, chunks));

    private static void Run(ArrayView<Chunk> x, ArrayView<Chunk> b, ArrayView<float> c, TensorGemm p)
        => TensorProduct.Run<Bf16Dots, NarrowTile, Tf32Numbers>(default(NarrowTile).Shared(), new Bf16Dots { x = x, b = b, c = c, p = p });

    public void Start(ArrayView<Chunk> shared, int stage)
    {
        StartX(shared, stage, Group.IdxX / 2);
        StartX(shared, stage, Group.IdxX / 2 + 64);
        StartB(shared, stage, Group.IdxX / 4);
        StartB(shared, stage, Group.IdxX / 4 + 32);
        next += TensorTile<NarrowTile, Tf32Numbers>.DepthChunks;
    }

    private readonly void StartX(ArrayView<Chunk> shared, int stage, int row)
    {
        int half = Group.IdxX % 2, line = Grid.IdxX * TensorTile<NarrowTile, Tf32Numbers>.Rows + row, chunks = (p.RowChunks + 1) / 2, chunk = next / 2 + half;
        var eight = Bf16Eight.Read(x, (Grid.IdxZ * p.M + line) * chunks + chunk, line < p.M & chunk < chunks);
        shared[stage + TensorTile<NarrowTile, Tf32Numbers>.ByDepth(row, 2 * half)] = Bf16Eight.Widened(eight, 0);
        shared[stage + TensorTile<NarrowTile, Tf32Numbers>.ByDepth(row, 2 * half + 1)] = Bf16Eight.Widened(eight, 1);
    }

    private readonly void StartB(ArrayView<Chunk> shared, int stage, int row)
    {
        int column = Grid.IdxY * TensorTile<NarrowTile, Tf32Numbers>.Columns + row, chunk = next + Group.IdxX % 4;
        bool inside = column < p.N && chunk < p.RowChunks;
        AsyncCopy.Start(
            ref shared[stage + TensorTile<NarrowTile, Tf32Numbers>.AChunks + TensorTile<NarrowTile, Tf32Numbers>.ByDepth(row, Group.IdxX % 4)],
            ref b[inside ? (Grid.IdxZ * p.N + column) * p.RowChunks + chunk : 0],
            inside ? 16 : 0);
    }

    public readonly void Store(int row, int column, float first, float second)
    {
        if (row < p.M && column < p.N)
            TensorCorePair.Store(c, (Grid.IdxZ * p.M + row) * p.N + column, p.N, column + 1 < p.N, first, second);
    }
}
