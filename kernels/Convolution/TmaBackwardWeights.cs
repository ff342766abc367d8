using ILGPU;
using ILGPU.Runtime;

namespace IlgpuNetVlad.Kernels;

/// <summary>
/// dw = Σ x·g over output pixels, g = dy·[y &gt; 0], with wgmma and TMA, stride 1 (<see cref="TmaWeightsTile"/>): rows are input channels of a tap, columns output channels, k patches of 8×8 pixels. One
/// thread copies, as in <see cref="TmaProduct"/>, with one stage for both operands of a step. The patches are cut into slices (grid z), each with sums of its own; <see cref="PartialSums"/> adds them in order.
/// A pixel of a patch beyond the map has a gradient of zeros, which meets numbers of x that no tap would read there: a NaN or infinity of x at the edge of a map reaches one tap more than by definition.
/// 2·B·P·Q·Oc·R·S·Ic FLOPs and 8 bytes a weight and slice.
/// </summary>
internal struct TmaBackwardWeights : ITensorSums
{
    public static readonly SimtKernel<Action<KernelConfig, ArrayView<TensorMapBytes>, ArrayView<TensorMapBytes>, ArrayView<float>, TensorCoreProblem>> Kernel =
        new($"convolution.backward-weights.{TmaTile.Name}", Run, TmaWeightsTile.SharedBytes, TmaTile.Bounds, copiesTensors: true);

    private ArrayView<TensorMapBytes> x, gradient;
    private ArrayView<float> partial;
    private TensorCoreProblem p;

    /// <summary>First patch of the slice, and the one behind its last.</summary>
    private int first, end;

    public readonly bool Pools => false;

    private static void Run(ArrayView<TensorMapBytes> x, ArrayView<TensorMapBytes> gradient, ArrayView<float> partial, TensorCoreProblem p)
    {
        int patches = TmaWeightsTile.CountAll(p.S), ofSlice = (patches + p.Slices - 1) / p.Slices, first = Math.Min(Grid.IdxZ * ofSlice, patches);
        var product = new TmaBackwardWeights { x = x, gradient = gradient, partial = partial, p = p, first = first, end = Math.Min(first + ofSlice, patches) };
        Wgmma.Open();
        var shared = SharedMemory.GetDynamic<Chunk>();
        uint start = Wgmma.Address(ref shared[0]);
        start += (uint)WgmmaTile.FirstStage(start) * 16;
        if (Group.IdxX == 0)
        {
            for (int stage = 0; stage < TmaWeightsTile.Stages; stage++)
                TmaProduct.Make(Full(start, stage), Empty(start, stage));
            MemoryBarrier.Publish();
        }
        Group.Barrier();
        if (Group.IdxX < TmaTile.Consumers)
        {
            product.Multiply(start);
            int row = TmaTile.ThreadRow, column = Grid.IdxY * TmaTile.Columns + WgmmaTile.ThreadColumn;
            WgmmaProduct.Store(product, row, column, Wgmma.Sums(0));
            WgmmaProduct.Store(product, row + TmaWeightsTile.PanelRows, column, Wgmma.Sums(1));
        }
        else if (Group.IdxX == TmaTile.Consumers)
        {
            product.Copy(start);
        }
    }

    private readonly void Copy(uint start)
    {
        TensorCopy.Acquire(ref x[0]);
        TensorCopy.Acquire(ref gradient[0]);
        int across = TmaWeightsTile.Count(p.S.Q), down = TmaWeightsTile.Count(p.S.P), column = Grid.IdxY * TmaTile.Columns;
        int firstBox = FirstBox, boxes = (Grid.IdxX * TmaWeightsTile.Panels + TmaWeightsTile.Panels - 1) / p.S.R - firstBox + 1;
        var ring = new TmaRing();
        for (int patch = first; patch < end; patch++)
        {
            int image = patch / (across * down), row = patch / across % down * TmaWeightsTile.Patch, pixel = patch % across * TmaWeightsTile.Patch;
            uint stage = StageOf(start, ring.Stage), full = Full(start, ring.Stage);
            MemoryBarrier.Wait(Empty(start, ring.Stage), ring.Parity ^ 1);
            MemoryBarrier.Expect(full, boxes * BoxBytes + TmaWeightsTile.ColumnsBytes);
            for (int i = 0; i < boxes; i++)
            {
                int box = firstBox + i;
                TensorCopy.Start(
                    stage + (uint)(i * BoxBytes), ref x[0], box / p.S.S * TmaWeightsTile.PanelRows, pixel + box % p.S.S - p.S.Padding, row - p.S.Padding, image, full);
            }
            TensorCopy.Start(stage + TmaWeightsTile.RowsBytes, ref gradient[0], column, pixel, row, image, full);
            TensorCopy.Start(stage + TmaWeightsTile.RowsBytes + TmaWeightsTile.ColumnsBytes / 2, ref gradient[0], column + TmaTile.Columns / 2, pixel, row, image, full);
            ring.Next(TmaWeightsTile.Stages);
        }
    }

    private readonly void Multiply(uint start)
    {
        int speaks = Group.IdxX % 32 == 0 ? 1 : 0, panel = Grid.IdxX * TmaWeightsTile.Panels + Group.IdxX / 128 * 2, before = 0;
        int upper = PlaceOf(panel), lower = PlaceOf(panel + 1);
        var ring = new TmaRing();
        for (int patch = first; patch < end; patch++)
        {
            MemoryBarrier.Wait(Full(start, ring.Stage), ring.Parity);
            uint stage = StageOf(start, ring.Stage);
            Wgmma.StartApart(stage + (uint)upper, stage + (uint)lower, stage + TmaWeightsTile.RowsBytes, 1, 1);
            Wgmma.WaitForAllButOne();
            MemoryBarrier.Arrive(Empty(start, before), patch > first ? speaks : 0);
            before = ring.Stage;
            ring.Next(TmaWeightsTile.Stages);
        }
        Wgmma.WaitForAll();
    }

    /// <summary>The first box of this block: one is what the taps of a column of the kernel read of 64 channels.</summary>
    private readonly int FirstBox => Grid.IdxX * TmaWeightsTile.Panels / p.S.R;

    private readonly int BoxBytes => (TmaWeightsTile.Patch + p.S.R - 1) * TmaWeightsTile.LineBytes;

    /// <summary>Bytes from a stage's begin to a panel.</summary>
    private readonly int PlaceOf(int panel) => (panel / p.S.R - FirstBox) * BoxBytes + panel % p.S.R * TmaWeightsTile.LineBytes;

    public readonly void Store(int row, int column, float first, float second)
    {
        int panel = Grid.IdxX * TmaWeightsTile.Panels + row / TmaWeightsTile.PanelRows, box = panel / p.S.R, tap = panel % p.S.R * p.S.S + box % p.S.S;
        int channel = box / p.S.S * TmaWeightsTile.PanelRows + row % TmaWeightsTile.PanelRows;
        if (channel < p.S.Ic && column < p.S.Oc)
            TensorCorePair.Store(partial, ((Grid.IdxZ * p.Taps + tap) * p.S.Ic + channel) * p.S.Oc + column, p.S.Oc, column + 1 < p.S.Oc, first, second);
    }

    private static uint StageOf(uint start, int stage) => start + (uint)(stage * TmaWeightsTile.StageBytes);

    private static uint Full(uint start, int stage) => start + (uint)(TmaWeightsTile.Stages * TmaWeightsTile.StageBytes + stage * MemoryBarrier.Bytes);

    private static uint Empty(uint start, int stage) => Full(start, TmaWeightsTile.Stages + stage);
}
